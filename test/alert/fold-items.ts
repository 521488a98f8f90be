import * as fc from 'fast-check'
import { enrichedSpans, schemas } from '../../schemas/topics.ts'
import type { Badness, Match, SeriesSpec, ValueField } from '../../services/alert/series.ts'
import { anyText, avroRecord } from '../support/avro-values.ts'
import type { Decoded } from '../support/spans.ts'
import { floorBy, type Item } from './fold-oracle.ts'

/** Random spans, what they tell, and random series over them. */

const START = 1_767_323_045_000_000_000n
const SECOND = 1_000_000_000n
const TWO_63 = 2n ** 63n

/** Few enough that groups meet, odd enough to break what is split or hashed. */
export const fewTexts = fc.constantFrom(
  '',
  'a',
  'b',
  'größer',
  'with\u001Fseparator',
  'x'.repeat(200),
)
export const someCount = fc.oneof(
  fc.constant(null),
  fc.bigInt(0n, 3n),
  fc.bigInt(0n, 10n ** 13n),
  fc.bigInt(2n ** 53n - 4n, 2n ** 53n + 4n),
  fc.constantFrom(10n ** 18n, TWO_63 - 1n),
)

/** Times of a few minutes, to the nanosecond. */
export const someTime = fc.oneof(
  fc.bigInt(START, START + 200n * SECOND),
  fc
    .integer({ min: 0, max: 4 })
    .map((minute) => START - 5n * SECOND + BigInt(minute) * 60n * SECOND),
)

/** Spans as they come: with all fields at random, or with fields from which groups are made. */
export const anySpan: fc.Arbitrary<Decoded> = fc
  .tuple(
    avroRecord(schemas.enrichedSpan),
    fc.record({
      tenant: fewTexts,
      feature: fewTexts,
      kind: fc.constantFrom('llm', 'tool', ''),
      request_model: fewTexts,
      response_model: fewTexts,
      status: fc.constantFrom('', 'ok', 'error'),
      price_status: fc.constantFrom('priced', 'unpriced', 'nested', 'not_applicable'),
      price_model: fewTexts,
      trace_id: fc.constantFrom('', 'a'.repeat(32), 'b'.repeat(32), '0'.repeat(32)),
      start_time_unix_nano: someTime,
      duration_nano: fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 90n * SECOND)),
      received_time_unix_nano: fc.bigInt(START - 400n * SECOND, START + 400n * SECOND),
      cost_pico_usd: someCount,
      input_tokens: someCount,
      output_tokens: someCount,
      time_to_first_token_nano: someCount,
      attributes: fc.dictionary(fc.constantFrom('k', 'key', 'kéy'), fewTexts),
      resource_attributes: fc.dictionary(fc.constantFrom('k', 'host.name'), anyText),
    }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([random, fields, dice]) => (dice === 0 ? random : { ...random, ...fields }))

export const encodeSpans = (spans: readonly Decoded[]): Buffer => enrichedSpans.codec.encode(spans)

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const longOf = (value: unknown): bigint => (typeof value === 'bigint' ? value : 0n)
const orNull = (value: unknown): bigint | null => (typeof value === 'bigint' ? value : null)
const entryOf = (map: unknown, key: string): string =>
  typeof map === 'object' && map !== null ? textOf(new Map(Object.entries(map)).get(key)) : ''

/** What a decoded span is to the oracle. */
export function spanItem(span: Decoded): Item {
  const end = longOf(span['start_time_unix_nano']) + longOf(span['duration_nano'])
  const received = longOf(span['received_time_unix_nano'])
  return {
    sign: 1n,
    eventMs: floorBy(end < received ? end : received, 1_000_000n),
    traceId: textOf(span['trace_id']),
    text: (dimension) => spanText(span, dimension),
    value: (field) => spanValue(span, field, end - received),
  }
}

function spanText(span: Decoded, dimension: string): string {
  if (dimension.startsWith('attributes.')) return entryOf(span['attributes'], dimension.slice(11))
  if (dimension.startsWith('resource.')) {
    return entryOf(span['resource_attributes'], dimension.slice(9))
  }
  if (dimension !== 'model') return textOf(span[dimension])
  return textOf(span['request_model']) || textOf(span['response_model'])
}

function spanValue(span: Decoded, field: ValueField, skew: bigint): bigint | null {
  const isCounted = !['nested', 'not_applicable'].includes(textOf(span['price_status']))
  const input = isCounted ? orNull(span['input_tokens']) : null
  const output = isCounted ? orNull(span['output_tokens']) : null
  const values: Readonly<Record<ValueField, bigint | null>> = {
    cost: orNull(span['cost_pico_usd']),
    duration: longOf(span['duration_nano']),
    ttft: orNull(span['time_to_first_token_nano']),
    input_tokens: input,
    output_tokens: output,
    tokens: input === null && output === null ? null : (input ?? 0n) + (output ?? 0n),
    skew: skew > 0n ? skew : 0n,
    score: null,
    gauge: null,
  }
  return values[field]
}

export interface SeriesChoice {
  readonly source: SeriesSpec['source']
  readonly dimensions: readonly string[]
  readonly fields: readonly ValueField[]
  /** Texts that matches look for. */
  readonly texts: fc.Arbitrary<string>
}

/** Random series over some dimensions and values. */
export function anySeries({ source, dimensions, fields, texts }: SeriesChoice) {
  const match: fc.Arbitrary<Match> = fc.record({
    dimension: fc.constantFrom(...dimensions),
    values: fc.array(texts, { minLength: 1, maxLength: 3 }),
    isNegated: fc.boolean(),
  })
  const units = fc.oneof(fc.constantFrom(0, 1.5, -1, 5e9, 2 ** 53, 1e18), fc.nat())
  const above = fc.record({ field: fc.constantFrom(...fields), units })
  const bad: fc.Arbitrary<Badness> = fc
    .tuple(fc.array(match, { maxLength: 2 }), fc.option(above, { nil: undefined }))
    .map(([matches, limit]) => (limit === undefined ? { matches } : { matches, above: limit }))
  const spec = fc
    .record({
      where: fc.array(match, { maxLength: 2 }),
      by: fc.uniqueArray(fc.constantFrom(...dimensions), { maxLength: 3 }),
      bad: fc.option(bad, { nil: undefined }),
      value: fc.option(fc.constantFrom(...fields), { nil: undefined }),
      hasBins: fc.boolean(),
      bucketMs: fc.constantFrom(1_000, 60_000, 3_600_000),
    })
    .map(({ bad: badness, value, ...rest }) => ({
      ...rest,
      ...(badness === undefined ? {} : { bad: badness }),
      ...(value === undefined ? {} : { value }),
    }))
  return fc.array(spec, { minLength: 1, maxLength: 8 }).map((specs) =>
    specs.map((one, index): SeriesSpec => ({
      ...one,
      id: String(index),
      source,
      keyLength: 0,
      retainMs: 3_600_000,
      maxGroups: 100,
    })),
  )
}

export const SPAN_FIELDS: readonly ValueField[] = [
  'cost',
  'duration',
  'ttft',
  'tokens',
  'input_tokens',
  'output_tokens',
  'skew',
  'score',
]

/** Random series of spans. */
export const spanSeries = anySeries({
  source: 'spans',
  dimensions: [
    'tenant',
    'feature',
    'kind',
    'model',
    'request_model',
    'status',
    'price_status',
    'price_model',
    'attributes.k',
    'attributes.kéy',
    'resource.host.name',
    'user',
  ],
  fields: SPAN_FIELDS,
  texts: fc.oneof(fewTexts, fc.constantFrom('llm', 'error', 'nested', 'priced', 'ok')),
})
