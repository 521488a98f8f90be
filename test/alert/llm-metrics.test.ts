import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCodec } from '../../schemas/codec.ts'
import { enrichedSpans, schemas } from '../../schemas/topics.ts'
import { METRIC_LABELS, type MetricLabel } from '../../services/alert/llm-label-sets.ts'
import { createLlmMetrics, type LlmMetrics } from '../../services/alert/llm-metrics.ts'
import { createMetrics } from '../../services/runtime/metrics.ts'
import { avroRecord } from '../support/avro-values.ts'
import { type PageFamily, parseExposition, sampleKey } from '../support/exposition.ts'
import type { Decoded } from '../support/spans.ts'
import { anySpan, encodeSpans, fewTexts, someCount } from './fold-items.ts'
import { expectedOfEvaluations, expectedOfSpans, isCounted } from './llm-oracle.ts'
import { hasPromtool } from './oracle/promtool.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
/** Thousands of pages are read, on machines that may be busy. */
const DEADLINE_MS = 60_000
const evaluationCodec = createCodec<Decoded>(schemas.evaluation)

const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
/** Spans of calls and of other steps, with values on the bounds of buckets and beside them. */
const anyCall: fc.Arbitrary<Decoded> = fc
  .tuple(
    anySpan,
    fc.record(
      {
        provider: fewTexts,
        operation: fc.constantFrom('chat', 'embeddings', ''),
        error_type: fc.constantFrom('', '', 'timeout', 'rate_limit'),
        duration_nano: fc.constantFrom(0n, 10_000_000n, 10_000_001n, 5_120_000_000n, 10n ** 12n),
        time_to_first_token_nano: some(
          fc.constantFrom(0n, 1_000_000n, 250_000_000n, 250_000_001n, 10n ** 11n),
        ),
        input_tokens: some(fc.constantFrom(0n, 1n, 4n, 5n, 67_108_864n, 67_108_865n)),
        output_tokens: some(fc.constantFrom(0n, 1n, 2n, 3n, 101n)),
        cache_read_tokens: someCount,
        cache_write_5m_tokens: someCount,
        cache_write_1h_tokens: someCount,
        reasoning_tokens: someCount,
        price_status: fc.constantFrom('priced', 'unpriced', 'no_usage', 'nested', 'not_applicable'),
      },
      { requiredKeys: ['provider', 'operation', 'error_type', 'price_status'] },
    ),
  )
  .map(([span, fields]) => ({ ...span, ...fields }))
const anyEvaluation: fc.Arbitrary<Decoded> = fc
  .tuple(
    avroRecord(schemas.evaluation),
    fc.record({
      model: fewTexts,
      use_case: fc.constantFrom('', 'critical'),
      dimension: fc.constantFrom('factuality', 'toxicity'),
      tenant: fewTexts,
      score: some(
        fc.oneof(fc.constantFrom(0, 0.1, 0.65, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      ),
    }),
  )
  .map(([evaluation, fields]) => ({ ...evaluation, ...fields }))
const someLabels: fc.Arbitrary<MetricLabel[]> = fc.uniqueArray(
  fc.constantFrom<MetricLabel>('tenant', 'feature', 'service', 'domain'),
  { maxLength: 3 },
)

/** Counts batches, one run each. */
function count(llm: LlmMetrics, topic: 'spans' | 'evaluations', batches: readonly Buffer[]): void {
  const runs = llm.runs(topic)
  for (const batch of batches) {
    runs?.written(0, [batch])
    runs?.committed(0)
  }
}

/** Decimal places of a metric's sums, whose text has them all. */
function placesOf(name: string): number {
  if (name === 'llm_cost_usd_total') return 12
  return /(?:_seconds|_score)_sum$/.test(name) ? 9 : 0
}

/** The samples of calls and scores, in whole units. */
function samplesOf(families: readonly PageFamily[]): ReadonlyMap<string, bigint> {
  const samples = families
    .filter(({ name }) => !name.startsWith('spanmeter_'))
    .flatMap((family) => family.samples)
  return new Map(
    samples.map((sample) => {
      const [whole = '', fraction = ''] = sample.value.split('.')
      expect(fraction).toHaveLength(placesOf(sample.name))
      return [sampleKey(sample), BigInt(whole + fraction)]
    }),
  )
}

/** As they come out of their batches: what UTF-8 cannot hold is replaced. */
const decoded = (spans: readonly Decoded[]): readonly Decoded[] =>
  enrichedSpans.codec.decode(encodeSpans(spans))

/** Whatever is cut or merged must not be lost: sums over all labels but those of the metric's own. */
function totalsOf(samples: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
  const totals = new Map<string, bigint>()
  for (const [key, value] of samples) {
    const [name = ''] = key.split(' ')
    const le = /\["le","([^"]+)"\]/.exec(key)?.[1] ?? ''
    const type = /\["(?:gen_ai_token_)?type","(\w+)"\]/.exec(key)?.[1] ?? ''
    const status = /\["status","(\w+)"\]/.exec(key)?.[1] ?? ''
    const total = `${name} ${le} ${type} ${status}`
    totals.set(total, (totals.get(total) ?? 0n) + value)
  }
  return totals
}

const seriesOf = (families: readonly PageFamily[], name: string) =>
  families.find((family) => family.name === name)?.samples ?? []

describe('The metrics of calls and scores', () => {
  test(
    'are what spans and scores sum up to, however these are put together',
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.array(anyCall, { maxLength: 8 }), { maxLength: 5 }),
          fc.array(anyEvaluation, { maxLength: 12 }),
          someLabels,
          (batches, evaluations, labels) => {
            const llm = createLlmMetrics({ labels, maxSeries: 2_000 })
            count(llm, 'spans', batches.map(encodeSpans))
            count(llm, 'evaluations', [evaluationCodec.encode(evaluations)])
            const spans = batches.flatMap(decoded)
            expect(samplesOf(parseExposition(llm.text()))).toEqual(
              new Map([
                ...expectedOfSpans(spans, labels),
                ...expectedOfEvaluations(evaluations, labels),
              ]),
            )
          },
        ),
        { seed: SEED, numRuns: 150 },
      )
    },
    DEADLINE_MS,
  )

  test(
    'lose nothing where there is no room for labels, and say how much that was',
    () => {
      fc.assert(
        fc.property(
          fc.array(anyCall, { minLength: 10, maxLength: 40 }),
          fc.integer({ min: 3, max: 8 }),
          (spans, maxSeries) => {
            const llm = createLlmMetrics({ labels: ['tenant'], maxSeries })
            count(llm, 'spans', [encodeSpans(spans)])
            const families = parseExposition(llm.text())
            const all = decoded(spans)
            const counted = all.filter(isCounted)
            expect(totalsOf(samplesOf(families))).toEqual(
              totalsOf(expectedOfSpans(all, ['tenant'])),
            )
            const durations = seriesOf(families, 'gen_ai_client_operation_duration_seconds')
            const counts = durations.filter(({ name }) => name.endsWith('_count'))
            const others = counts.filter(({ labels }) => labels['tenant'] === '(other)')
            const sum = (samples: typeof counts) =>
              samples.reduce((total, { value }) => total + Number(value), 0)
            expect(counts.length).toBeLessThanOrEqual(maxSeries)
            expect(sum(counts)).toBe(counted.length)
            const room = seriesOf(families, 'spanmeter_metrics_overflowed_total')
            expect(room.map(({ value }) => Number(value))).toEqual([sum(others), 0])
          },
        ),
        { seed: SEED, numRuns: 60 },
      )
    },
    DEADLINE_MS,
  )

  test('are clean for promtool, whatever the labels are', (context) => {
    if (!hasPromtool()) context.skip('promtool of the Debian package prometheus is not installed')
    const [spans = []] = fc.sample(fc.array(anyCall, { minLength: 200, maxLength: 200 }), {
      seed: SEED,
      numRuns: 1,
    })
    const llm = createLlmMetrics({ labels: METRIC_LABELS, maxSeries: 100 })
    count(llm, 'spans', [encodeSpans(spans)])
    const evaluations = fc.sample(anyEvaluation, { seed: SEED, numRuns: 200 })
    count(llm, 'evaluations', [evaluationCodec.encode(evaluations)])
    for (const input of [llm.text(), createLlmMetrics({ labels: [], maxSeries: 3 }).text()]) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input,
        encoding: 'utf8',
      })
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
    }
  })

  test('stand behind those of the worker on one page', async () => {
    const metrics = createMetrics('alert')
    metrics.counter('spanmeter_things_total', 'Things.', []).inc(3)
    const llm = createLlmMetrics({ labels: [], maxSeries: 3 })
    metrics.addText(llm.text)
    const names = parseExposition(await metrics.text()).map(({ name }) => name)
    expect(names.indexOf('spanmeter_things_total')).toBeGreaterThan(0)
    expect(names.indexOf('llm_requests_total')).toBeGreaterThan(
      names.indexOf('spanmeter_things_total'),
    )
  })

  test('are of spans and evaluations alone', () => {
    const llm = createLlmMetrics({ labels: [], maxSeries: 3 })
    expect([llm.runs('corrections'), llm.runs('dead_letters')]).toEqual([undefined, undefined])
  })
})
