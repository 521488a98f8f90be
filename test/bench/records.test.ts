import { describe, expect, test } from 'vitest'
import { makeRecords, type RecordOptions, recentNoonMs } from '../../bench/records.ts'
import { spans as spansTopic } from '../../schemas/topics.ts'
import { loadConventions } from '../../services/ingest/conventions.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'

const MIB = 1_024 * 1_024
const options = { spans: 250, spansPerRecord: 100, seed: 1, firstStartMs: Date.UTC(2026, 0, 2, 12) }
const transcode = createTranscoder(loadConventions(), {
  maxAttributes: 1_000,
  maxAttributeBytes: 2_048,
  maxBatchBytes: MIB,
  maxOutputBytes: 64 * MIB,
  maxSpans: 100_000,
  maxValueBytes: 16 * 1024 * 1024,
})

/** The spans of each record, as ingest reads them. */
function readRecords(given: RecordOptions) {
  return [...makeRecords(given)].map((body) => {
    const { batches, rejected } = transcode(Buffer.from(body), 0)
    expect(rejected).toEqual([])
    return batches.flatMap((batch) => spansTopic.codec.decode(batch))
  })
}

describe('records of the benchmark', () => {
  test('hold the wanted number of spans, the last one what is left', () => {
    expect(readRecords(options).map(({ length }) => length)).toEqual([100, 100, 50])
  })

  test('are the same bytes for the same seed, and others for another', () => {
    const [first] = [...makeRecords(options)]
    expect([...makeRecords(options)][0]).toEqual(first)
    expect([...makeRecords({ ...options, seed: 2 })][0]).not.toEqual(first)
  })

  test('never repeat a span', () => {
    const spans = readRecords({ ...options, spans: 5_000 }).flat()
    expect(
      new Set(spans.map((span) => `${String(span['trace_id'])}${String(span['span_id'])}`)).size,
    ).toBe(5_000)
  })

  test('are LLM calls of several models, tenants and users, some of them failed', () => {
    const spans = readRecords({ ...options, spans: 2_000 }).flat()
    const count = (field: string) => new Set(spans.map((span) => span[field])).size
    expect(new Set(spans.map(({ kind }) => kind))).toEqual(new Set(['llm']))
    expect(count('request_model')).toBe(8)
    expect(count('tenant')).toBe(8)
    expect(count('user')).toBeGreaterThan(100)
    const errors = spans.filter(({ status }) => status === 'error').length
    expect(errors).toBeGreaterThan(20)
    expect(errors).toBeLessThan(120)
  })

  test('start one after the other from the given time', () => {
    const starts = readRecords(options)
      .flat()
      .map((span) => Number(span['start_time_unix_nano']))
    expect(starts[0]).toBe(options.firstStartMs * 1_000_000)
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
  })
})

test('records start at noon of the day before', () => {
  expect(recentNoonMs(Date.UTC(2026, 0, 2, 0, 0, 1))).toBe(Date.UTC(2026, 0, 1, 12))
  expect(recentNoonMs(Date.UTC(2026, 0, 2, 23, 59))).toBe(Date.UTC(2026, 0, 1, 12))
})
