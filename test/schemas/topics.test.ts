import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  deadLetters,
  enrichedSpans,
  observations,
  priceCorrections,
  schemas,
  spans,
  topics,
} from '../../schemas/topics.ts'

const schemaOf = z.object({
  name: z.string(),
  fields: z.array(
    z.object({
      name: z.string(),
      type: z.unknown(),
      doc: z.string(),
      default: z.unknown().optional(),
    }),
  ),
})
const span = schemaOf.parse(schemas.span)
const enriched = schemaOf.parse(schemas.enrichedSpan)
const letter = schemaOf.parse(schemas.deadLetter)
const correction = schemaOf.parse(schemas.priceCorrection)
const observation = schemaOf.parse(schemas.observation)

test('Every topic has a name of its own, and says its key and event time', () => {
  expect(new Set(topics.map(({ name }) => name)).size).toBe(topics.length)
  for (const topic of topics) {
    expect(topic.name).toMatch(/^[a-z][a-z._-]*$/)
    expect([topic.key, topic.eventTime]).not.toContain('')
  }
})

test('Only the public input keeps the times of its producers', () => {
  const producers = topics.filter((topic) => !topic.logAppendTime).map(({ name }) => name)
  expect(producers).toEqual(['otlp_spans'])
})

test('Every schema file is read, and each has a fingerprint of its own', () => {
  const files = readdirSync(new URL('../../schemas/', import.meta.url))
  const fingerprints = [spans, enrichedSpans, deadLetters, priceCorrections, observations].map(
    ({ codec }) => codec.fingerprint,
  )
  expect(Object.keys(schemas)).toHaveLength(files.filter((file) => file.endsWith('.avsc')).length)
  expect(new Set(fingerprints).size).toBe(fingerprints.length)
})

test('An enriched span opens with the fields of a span, and enrichment follows', () => {
  expect(enriched.fields.slice(0, span.fields.length)).toEqual(span.fields)
  expect(enriched.fields.slice(span.fields.length).map(({ name }) => name)).toEqual([
    'cost_pico_usd',
    'price_status',
    'price_version',
    'price_model',
    'price_flags',
    'cost_parts',
    'content_kept',
  ])
})

test('A price correction says of a span and its price what an enriched span says', () => {
  const known = new Map(enriched.fields.map((field) => [field.name, field]))
  const own = correction.fields.filter(({ name }) => !known.has(name)).map(({ name }) => name)
  expect(own).toEqual([
    'old_cost_pico_usd',
    'old_price_status',
    'old_price_version',
    'old_price_model',
    'job',
    'corrected_time_unix_nano',
  ])
  for (const field of correction.fields.filter(({ name }) => !own.includes(name))) {
    expect(field).toEqual(known.get(field.name))
  }
})

test('A span opens with the tags and ends with what is dropped with its content', () => {
  const names = span.fields.map(({ name }) => name)
  expect(names.slice(0, 7)).toEqual([
    'tenant',
    'team',
    'feature',
    'environment',
    'cost_centre',
    'user_tier',
    'kind',
  ])
  expect(names.slice(-3)).toEqual(['prompt', 'completion', 'content'])
})

describe.each([span, enriched, letter, correction, observation])('$name', ({ fields }) => {
  test('says of every field what it holds', () => {
    for (const { name, doc } of fields) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
      expect(doc).toMatch(/\.$/)
    }
  })

  test('has a default for every field that a batch of an older schema may lack', () => {
    const without = fields.filter((field) => field.default === undefined).map(({ name }) => name)
    const required = [
      'start_time_unix_nano',
      'duration_nano',
      'received_time_unix_nano',
      'time_unix_nano',
      'corrected_time_unix_nano',
      'payload',
    ]
    for (const name of without) expect(required).toContain(name)
  })
})
