import { expect, test } from 'vitest'
import { parseConfig } from '../../services/ingest/config.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import { translate } from '../../services/ingest/translate.ts'
import { BatchError } from '#schemas/codec.ts'
import { readers } from '#schemas/readers.ts'
import { alertState, enrichedSpans, evaluations, otlpSpans, spans } from '#schemas/topics.ts'
import { POISONED, poisonOf } from './poison.ts'

const NUMBERS = Array.from({ length: 200 }, (_, number) => number)

test('poison is made for every topic that a worker reads', () => {
  const read = Object.values(readers).map(({ topic }) => topic)
  expect(POISONED.toSorted()).toEqual([...new Set([...read, alertState.name])].toSorted())
})

test('nobody can read poison', () => {
  const { conventions, transcode: limits } = parseConfig({})
  const transcode = createTranscoder(conventions, limits)
  for (const number of NUMBERS) {
    const otlp = poisonOf(otlpSpans.name, number)
    const encoding = otlp[0] === 0x7b ? 'json' : 'proto'
    expect(translate(transcode, encoding, otlp, 0).type).not.toBe('translated')
    for (const { name, codec } of [spans, enrichedSpans, evaluations]) {
      expect(() => codec.decode(poisonOf(name, number))).toThrow(BatchError)
    }
  }
})

test('each number makes a poison of its own, the same each time', () => {
  const all = NUMBERS.map((number) => poisonOf(spans.name, number).toString('hex'))
  expect(new Set(all).size).toBe(NUMBERS.length)
  expect(poisonOf(spans.name, 5)).toEqual(poisonOf(spans.name, 5))
})
