import { textTable } from '#runtime/text-table.ts'
import { count, ms, percent, plural, usd } from './amounts.ts'
import type { Found, ListedTrace, LowQualityTrace, SlowTrace, Trait } from './trace-lists.ts'

const MAX_TEXT = 48
/** Steps of a trace that are named; the others are a small part of its time. */
const MAX_STEPS = 3
const MIN_STEP_SHARE = 0.005

const SLOW_COLUMNS = [
  'trace',
  'started (UTC)',
  'tenant',
  'endpoint',
  'where the time went',
  'error',
]
const LOW_COLUMNS = ['trace', 'started (UTC)', 'tenant', 'endpoint', 'model', 'evaluator', 'why']

/** Slow traces as a page, with what they share. */
export function formatSlowTraces(
  { traces, total }: Found<SlowTrace>,
  traits: readonly Trait[] | undefined,
): readonly string[] {
  const rows = traces.map((trace) => [
    ...placeOf(trace),
    stepsOf(trace),
    trace.firstErrorType,
    ms(trace.durationMs),
    `${(trace.durationMs / trace.p95Ms).toFixed(1)}x`,
    count(trace.llmCalls),
    usd(trace.costUsd, trace.unpriced),
  ])
  const columns = [...SLOW_COLUMNS, 'ms', 'of P95', 'LLM calls', 'USD']
  return [
    `${plural(total, 'trace')} above the P95 of their endpoint, the slowest first:`,
    '',
    ...textTable([columns, ...rows], SLOW_COLUMNS.length),
    ...moreThan(traces.length, total),
    ...formatTraits('the slow traces', 'slow', traits),
    ...hint(traces),
  ]
}

/** Traces of low quality as a page, with what they share. */
export function formatLowQualityTraces(
  { traces, total }: Found<LowQualityTrace>,
  traits: readonly Trait[] | undefined,
): readonly string[] {
  const rows = traces.map((trace) => [
    ...placeOf(trace),
    shorten(trace.models.join(' ')),
    trace.evaluator,
    shorten(trace.explanation === '' ? trace.label : trace.explanation),
    trace.lowestScore === null ? '-' : trace.lowestScore.toFixed(2),
    `${count(trace.lowScores)} of ${count(trace.scores)}`,
    ms(trace.durationMs),
    usd(trace.costUsd, trace.unpriced),
  ])
  const columns = [...LOW_COLUMNS, 'lowest', 'low scores', 'ms', 'USD']
  return [
    `${plural(total, 'trace')} of low quality, the worst first:`,
    '',
    ...textTable([columns, ...rows], LOW_COLUMNS.length),
    ...moreThan(traces.length, total),
    ...formatTraits('the traces of low quality', 'low', traits),
    ...hint(traces),
  ]
}

function placeOf(trace: ListedTrace): readonly string[] {
  const { traceId, startedAt, tenant, endpoint } = trace
  return [traceId, startedAt.slice(0, 19).replace('T', ' '), tenant, shorten(endpoint)]
}

/** The kinds of step that most of the time went to, such as `llm 93 %, tool 5 %`. */
function stepsOf({ pathMs, durationMs }: SlowTrace): string {
  return Object.entries(pathMs)
    .filter(([, stepMs]) => stepMs >= durationMs * MIN_STEP_SHARE)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_STEPS)
    .map(([kind, stepMs]) => `${kind} ${Math.round((stepMs / durationMs) * 100)} %`)
    .join(', ')
}

/** What traces share, against the rest, as a table of its own. */
function formatTraits(
  whose: string,
  short: string,
  traits: readonly Trait[] | undefined,
): readonly string[] {
  if (traits === undefined) return []
  if (traits.length === 0) return ['', `Nothing stands out in what ${whose} have in common.`]
  const columns = ['', 'what', short, 'the rest', `of the ${short}`, 'of the rest', 'lift']
  const rows = traits.map((trait) => [
    trait.dimension,
    shorten(trait.value),
    count(trait.tracesIn),
    count(trait.tracesOut),
    percent(trait.shareIn),
    percent(trait.shareOut),
    `${trait.lift.toFixed(2)}x`,
  ])
  return ['', `What ${whose} have in common:`, '', ...textTable([columns, ...rows], 2)]
}

function moreThan(shown: number, total: number): readonly string[] {
  return total > shown ? [`… and ${count(total - shown)} more (--limit)`] : []
}

function hint([first]: readonly ListedTrace[]): readonly string[] {
  if (first === undefined) return []
  return ['', 'Look into one:', '', `  npm run spanmeter -- traces show ${first.traceId}`]
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line
}
