import type { TestScore, TestSpan } from './trace-spans.ts'

/** What a span took, in nanoseconds, worked out by following its trace step by step. */
export interface SpanTimes {
  readonly self: bigint
  /** Undefined for a span that is not on the critical path. */
  readonly path: bigint | undefined
}

interface Run {
  readonly id: string
  readonly parent: string
  readonly start: bigint
  readonly end: bigint
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Times of the spans of one trace by span id; of spans that no root leads to there are none. */
export function timesOfTrace(spans: readonly TestSpan[]): ReadonlyMap<string, SpanTimes> {
  const runs = spans.map((span) => ({
    id: span.span_id,
    parent: span.parent_span_id,
    start: span.start_time_unix_nano,
    end: span.start_time_unix_nano + span.duration_nano,
  }))
  const ids = new Set(runs.map(({ id }) => id))
  const children = Map.groupBy(runs, ({ parent }) => (ids.has(parent) ? parent : ''))
  const reached: Run[] = []
  const reach = (family: readonly Run[]): void => {
    for (const run of family) {
      reached.push(run)
      reach(children.get(run.id) ?? [])
    }
  }
  reach(children.get('') ?? [])
  const path = walkBack(reached, children)
  return new Map(
    reached.map((run) => [
      run.id,
      { self: selfOf(run, children.get(run.id) ?? []), path: path.get(run.id) },
    ]),
  )
}

/** The nanoseconds of each span on the critical path, instant by instant from the end. */
function walkBack(
  reached: readonly Run[],
  children: ReadonlyMap<string, readonly Run[]>,
): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint>()
  const [last] = reached.toSorted(
    (a, b) => compare(b.end, a.end) || compare(a.start, b.start) || byText(b.id, a.id),
  )
  if (last === undefined) return found
  const byId = new Map(reached.map((run) => [run.id, run]))
  const spine = new Set<string>()
  for (let run: Run | undefined = last; run !== undefined; run = byId.get(run.parent)) {
    spine.add(run.id)
  }
  /** Follows a family back from `shuts` to `opens`; what no child takes is `own`'s. */
  const follow = (
    family: readonly Run[],
    opens: bigint,
    shuts: bigint,
    own: (from: bigint, to: bigint) => void,
  ): void => {
    const steps = family.map((run) => ({
      run,
      isSpine: spine.has(run.id),
      opens: max(run.start, opens),
      shuts: spine.has(run.id) ? last.end : min(run.end, shuts),
    }))
    steps.sort(
      (a, b) =>
        Number(b.isSpine) - Number(a.isSpine) ||
        compare(b.shuts, a.shuts) ||
        compare(a.opens, b.opens) ||
        byText(a.run.id, b.run.id),
    )
    let cursor = shuts
    for (const step of steps) {
      if (!step.isSpine && (step.shuts > cursor || step.shuts < step.opens)) continue
      own(step.shuts, cursor)
      let taken = 0n
      follow(children.get(step.run.id) ?? [], step.opens, step.shuts, (from, to) => {
        // Time in which the span itself no longer ran is nobody's.
        taken += max(0n, min(to, step.run.end) - from)
      })
      found.set(step.run.id, taken)
      cursor = step.opens
    }
    own(opens, cursor)
  }
  const first = reached.reduce((earliest, { start }) => min(earliest, start), last.start)
  follow(children.get('') ?? [], first, last.end, () => undefined)
  return found
}

/** What a span ran for without its children: every edge between them is looked at. */
function selfOf({ start, end }: Run, family: readonly Run[]): bigint {
  const edges = [start, end, ...family.flatMap((child) => [child.start, child.end])]
    .filter((edge) => edge >= start && edge <= end)
    .toSorted(compare)
  let self = 0n
  for (const [index, edge] of edges.entries()) {
    const next = edges[index + 1] ?? edge
    const isCovered = family.some((child) => child.start <= edge && child.end >= next)
    if (!isCovered) self += next - edge
  }
  return self
}

/** What traces are looked at as, of those that have an endpoint at their root. */
interface TraceFacts {
  readonly id: string
  readonly durationNano: bigint
  readonly kind: string
  readonly traits: ReadonlySet<string>
}

const text = (span: TestSpan, field: string): string => {
  const value = span[field]
  return typeof value === 'string' ? value : ''
}
const joined = (span: TestSpan, a: string, b: string) => `${text(span, a)} ${text(span, b)}`.trim()

function factsOf(id: string, spans: readonly TestSpan[]): TraceFacts {
  const start = spans.reduce(
    (first, span) => min(first, span.start_time_unix_nano),
    spans[0]?.start_time_unix_nano ?? 0n,
  )
  const end = spans.reduce(
    (latest, span) => max(latest, span.start_time_unix_nano + span.duration_nano),
    start,
  )
  const root = spans.find(({ parent_span_id }) => parent_span_id === '')
  const tenant =
    spans
      .map((span) => span.tenant)
      .toSorted(byText)
      .at(-1) ?? ''
  const endpoint = root === undefined ? '' : text(root, 'endpoint')
  const ofSpans = spans.flatMap((span) => [
    ['tenant', span.tenant],
    ['environment', text(span, 'environment')],
    ['feature', text(span, 'feature')],
    ['user_tier', text(span, 'user_tier')],
    ['service', text(span, 'service')],
    ['step', span.kind],
    ['provider', text(span, 'provider')],
    ['model', text(span, 'request_model') || text(span, 'response_model')],
    ['prompt', joined(span, 'prompt_id', 'prompt_version')],
    ['experiment', joined(span, 'experiment', 'variant')],
    ['agent', text(span, 'agent')],
    ['tool', text(span, 'tool')],
    ['error_type', text(span, 'error_type')],
    ['streaming', yesOrNo(span['streaming'])],
  ])
  const pairs = [
    ...ofSpans,
    ['endpoint', endpoint],
    ['llm_calls', callsBand(spans.filter(({ kind }) => kind === 'llm').length)],
    ['input_tokens', band(tokens(spans, 'input_tokens'), INPUT_BANDS)],
    ['output_tokens', band(tokens(spans, 'output_tokens'), OUTPUT_BANDS)],
  ]
  return {
    id,
    durationNano: end - start,
    kind: `${tenant} ${endpoint || (root?.name ?? '')}`,
    traits: new Set(
      pairs.flatMap(([dimension, value]) => (value === '' ? [] : [`${dimension}=${value}`])),
    ),
  }
}

const yesOrNo = (value: unknown): string => (value === true ? 'yes' : value === false ? 'no' : '')

function tokens(spans: readonly TestSpan[], field: string): number {
  const counted = spans.filter(
    ({ price_status: status }) => status !== 'not_applicable' && status !== 'nested',
  )
  return counted.reduce((sum, span) => sum + Number(span[field] ?? 0), 0)
}

type Bands = readonly (readonly [from: number, name: string])[]
const INPUT_BANDS: Bands = [
  [0, 'none'],
  [1, 'below 1k'],
  [1_000, '1k to 4k'],
  [4_000, '4k to 16k'],
  [16_000, '16k to 64k'],
  [64_000, '64k and more'],
]
const OUTPUT_BANDS: Bands = [
  [0, 'none'],
  [1, 'below 250'],
  [250, '250 to 1k'],
  [1_000, '1k to 4k'],
  [4_000, '4k and more'],
]
const CALL_BANDS: Bands = [
  [3, '3 to 5'],
  [6, '6 to 10'],
  [11, '11 to 20'],
  [21, '21 and more'],
]

function band(value: number, bands: Bands): string {
  return bands.findLast(([from]) => value >= from)?.[1] ?? ''
}

function callsBand(calls: number): string {
  return band(calls, CALL_BANDS) || String(calls)
}

/** Every trace of some spans. */
function tracesOf(spans: readonly TestSpan[]): readonly TraceFacts[] {
  return [...Map.groupBy(spans, ({ trace_id }) => trace_id)].map(([id, own]) => factsOf(id, own))
}

/** Ids of the traces above the P95 of their kind, found by sorting. */
export function slowTracesOf(spans: readonly TestSpan[]): ReadonlySet<string> {
  const kinds = Map.groupBy(tracesOf(spans), ({ kind }) => kind).values()
  return new Set(
    [...kinds].flatMap((alike) => {
      if (alike.length < 20) return []
      const sorted = alike.map(({ durationNano }) => Number(durationNano)).toSorted((a, b) => a - b)
      const rank = 0.95 * (sorted.length - 1)
      const below = sorted[Math.floor(rank)] ?? 0
      const above = sorted[Math.ceil(rank)] ?? 0
      const p95 = below + (above - below) * (rank - Math.floor(rank))
      return alike.filter(({ durationNano }) => Number(durationNano) > p95).map(({ id }) => id)
    }),
  )
}

/** Ids of traces that were given a score, with whether one of them is low, by following every score. */
export function judgedTracesOf(
  spans: readonly TestSpan[],
  scores: readonly TestScore[],
  below: number,
): ReadonlyMap<string, boolean> {
  const traceOf = ({ trace_id: trace, response_id: response, request_id: request }: TestScore) => {
    if (trace !== undefined) return spans.find(({ trace_id }) => trace_id === trace)?.trace_id
    const [field, wanted] =
      response === undefined ? ['request_id', request] : ['response_id', response]
    return spans.find((span) => span[field] === wanted)?.trace_id
  }
  const judged = new Map<string, boolean>()
  for (const score of scores) {
    const trace = traceOf(score)
    const isLow =
      (score.score !== null && score.score < below) || score.evaluator === 'low_quality_output'
    if (trace === undefined || (score.score === null && !isLow)) continue
    judged.set(trace, isLow || judged.get(trace) === true)
  }
  return judged
}

const having = (group: readonly TraceFacts[], trait: string): number =>
  group.filter((trace) => trace.traits.has(trait)).length

/** One line to each trait of at least one trace in question, as `traitLine` writes it. */
export function expectedTraits(
  spans: readonly TestSpan[],
  isIn: (traceId: string) => boolean | undefined,
): readonly string[] {
  const traces = tracesOf(spans).filter(({ id }) => isIn(id) !== undefined)
  const [inside, outside] = [
    traces.filter(({ id }) => isIn(id) === true),
    traces.filter(({ id }) => isIn(id) === false),
  ]
  const traits = new Set(inside.flatMap((trace) => [...trace.traits]))
  return [...traits]
    .map((trait) => {
      const [traces_in, traces_out] = [having(inside, trait), having(outside, trait)]
      const [all_in, all_out] = [inside.length, outside.length]
      const shareIn = traces_in / all_in
      const shareOut = all_out === 0 ? 0 : traces_out / all_out
      const shareAll = (traces_in + traces_out) / (all_in + all_out)
      const spread = Math.sqrt(shareAll * (1 - shareAll) * (1 / all_in + 1 / all_out))
      return traitLine(trait, {
        traces_in,
        traces_out,
        all_in,
        all_out,
        share_in: shareIn,
        share_out: shareOut,
        lift: shareIn / shareAll,
        z_score: spread > 0 ? (shareIn - shareOut) / spread : 0,
      })
    })
    .toSorted(byText)
}

/** Figures of a trait, counts as whole numbers and the others to six digits. */
export function traitLine(
  trait: string,
  figures: Readonly<Record<string, number | string>>,
): string {
  const named = Object.entries(figures)
    .toSorted(([a], [b]) => byText(a, b))
    .map(
      ([name, value]) =>
        `${name}:${(Number(value) + 0).toFixed(6).replace(/^-0\.0+$/, '0.000000')}`,
    )
  return [trait, ...named].join(' ')
}
