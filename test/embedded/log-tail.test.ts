import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLogTail } from '../../services/embedded/log-tail.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanmeter-tail-'))
  file = join(folder, 'engine.log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('openLogTail', () => {
  it('shows the last lines written since it was opened, and where they stand', () => {
    writeFileSync(file, 'of an earlier start\n')
    const tail = openLogTail([file])
    appendFileSync(file, Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join(''))
    const text = tail.describe()
    expect(text).toContain(`Last lines of ${file}:\n  line 15\n`)
    expect(text).toMatch(/line 29$/)
    expect(text).not.toContain('earlier')
  })

  it('shows all of a file that was rotated since', () => {
    writeFileSync(file, 'long, of an earlier start\n')
    const tail = openLogTail([file])
    writeFileSync(file, 'new\n')
    expect(tail.describe()).toMatch(/ {2}new$/)
  })

  it('says so when nothing was written', () => {
    expect(openLogTail([file]).describe()).toBe(`It wrote nothing to ${file}.`)
  })
})
