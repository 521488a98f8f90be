import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { repairDeduplicationLogs } from '../../services/embedded/deduplication-log.ts'

let store = ''
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'spanmeter-log-'))
})
afterEach(() => rmSync(store, { recursive: true, force: true }))

/** A table with parts and the texts of its logs, oldest first. */
function makeTable(parts: readonly string[], ...logs: readonly string[]): () => string {
  const table = join(store, 'abc', 'abc-1')
  mkdirSync(join(table, 'deduplication_logs'), { recursive: true })
  for (const part of parts) mkdirSync(join(table, part))
  const file = (i: number) => join(table, 'deduplication_logs', `deduplication_log_${i}.txt`)
  // Numbers of two digits show that logs are ordered by number.
  logs.forEach((text, i) => writeFileSync(file(i + 9), text))
  return () => readFileSync(file(logs.length + 8), 'utf8')
}

const added = (part: string, token: string) => `1\t${part}\t${token}\n`

describe('The deduplication log', () => {
  test.each([
    ['of a part that is there', ['20260101_1_1_0'], added('20260101_1_1_0', 'a')],
    ['of a part that was mutated', ['20260101_1_1_0_7'], added('20260101_1_1_0', 'a')],
    ['of a part that was merged', ['20260101_1_9_2'], added('20260101_4_4_0', 'a')],
    ['of a token that was dropped', [], `${added('20260101_1_1_0', 'a')}2\t20260101_1_1_0\ta\n`],
    ['of a part that is named in no known way', [], added('strange', 'a')],
    ['of nothing', [], ''],
  ])('%s stays as it is', (_, parts, log) => {
    const read = makeTable(parts, log)
    expect(repairDeduplicationLogs(store)).toEqual([])
    expect(read()).toBe(log)
  })

  test.each([
    ['is nowhere', []],
    ['is still being written', ['tmp_insert_20260101_2_2_0']],
    ['would be of another day', ['20260102_1_9_2']],
    ['is beside those that are there', ['20260101_1_1_0', '20260101_3_9_2']],
  ])('takes back the token of a part that %s', (_, parts) => {
    const log = added('20260101_2_2_0', 'b')
    const read = makeTable(parts, log)
    expect(repairDeduplicationLogs(store)).toEqual(['20260101_2_2_0'])
    expect(read()).toBe(`${log}2\t20260101_2_2_0\tb\n`)
    expect(repairDeduplicationLogs(store)).toEqual([])
  })

  test('takes tokens of older logs back in the newest', () => {
    const read = makeTable(
      ['20260101_2_2_0'],
      added('20260101_1_1_0', 'a'),
      added('20260101_2_2_0', 'b'),
    )
    expect(repairDeduplicationLogs(store)).toEqual(['20260101_1_1_0'])
    expect(read()).toBe(`${added('20260101_2_2_0', 'b')}2\t20260101_1_1_0\ta\n`)
  })

  test('loses a line that the server died within', () => {
    const read = makeTable(['20260101_1_1_0'], `${added('20260101_1_1_0', 'a')}1\t20260101_2_`)
    expect(repairDeduplicationLogs(store)).toEqual([])
    expect(read()).toBe(added('20260101_1_1_0', 'a'))
  })

  test('need not be there', () => {
    expect(repairDeduplicationLogs(join(store, 'none'))).toEqual([])
    mkdirSync(join(store, 'abc', 'abc-2'), { recursive: true })
    expect(repairDeduplicationLogs(store)).toEqual([])
  })
})
