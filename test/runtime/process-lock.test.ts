import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  acquireLock,
  processStart,
  readHolder,
  recordHolder,
} from '../../services/runtime/process-lock.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanmeter-lock-'))
  file = join(folder, 'spanmeter.lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const NOT_A_PID = 2 ** 22 + 1

describe('acquireLock', () => {
  it('names the pid that holds the file', () => {
    acquireLock(file)
    expect(() => acquireLock(file)).toThrow(
      new RegExp(`spanmeter.lock is held by this process \\(pid ${process.pid}\\)`),
    )
  })

  it('can be taken again after its release', () => {
    acquireLock(file).release()
    expect(readHolder(file)).toBeUndefined()
    acquireLock(file)
    expect(readHolder(file)?.pid).toBe(process.pid)
  })

  it.each([
    ['of a process that is gone', JSON.stringify({ pid: NOT_A_PID, started: 'then' })],
    [
      'of an earlier process with a pid in use',
      JSON.stringify({ pid: process.pid, started: 'then' }),
    ],
    ['cut short', '{"pid":'],
    ['that is empty', ''],
  ])('takes over a lock %s', (_, text) => {
    writeFileSync(file, text)
    acquireLock(file)
    expect(readHolder(file)?.pid).toBe(process.pid)
  })

  it('leaves no other files behind', () => {
    writeFileSync(file, '')
    acquireLock(file)
    expect(readdirSync(folder)).toEqual(['spanmeter.lock'])
  })

  it('does not release a lock that another process has taken since', () => {
    const lock = acquireLock(file)
    const other = JSON.stringify({ pid: NOT_A_PID, started: 'later' })
    writeFileSync(file, other)
    lock.release()
    expect(readFileSync(file, 'utf8')).toBe(other)
  })
})

describe('recordHolder', () => {
  it('replaces whoever stood there', () => {
    writeFileSync(file, 'someone')
    recordHolder(file, process.pid)
    expect(readHolder(file)).toEqual({ pid: process.pid, started: processStart(process.pid) })
  })
})

describe('processStart', () => {
  it('is the same each time for a living process, and differs between processes', () => {
    expect(processStart(process.pid)).toBe(processStart(process.pid))
    expect(processStart(process.ppid)).not.toBe(processStart(process.pid))
  })

  it('is undefined for a process that is not there', () => {
    expect(processStart(NOT_A_PID)).toBeUndefined()
  })
})
