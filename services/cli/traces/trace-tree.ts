import type { ClickHouse } from '#runtime/clickhouse.ts'
import { readQuery } from '#runtime/queries.ts'
import { textTable } from '#runtime/text-table.ts'
import { count, ms, percent, plural, usd } from './amounts.ts'
import { costOf } from './trace-lists.ts'

/** A trace in total. */
export interface TraceTotal {
  readonly traceId: string
  readonly tenant: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly durationMs: number
  readonly spans: number
  readonly errors: number
  readonly llmCalls: number
  /** Of the calls with a price, as decimal text; null where no call has one. */
  readonly costUsd: string | null
  readonly unpriced: number
  readonly rootName: string
  readonly rootService: string
  readonly user: string
  readonly session: string
}

/** A span in the tree of its trace. */
export interface TreeSpan {
  readonly spanId: string
  /** Empty for a root, and for a span whose parent is not there. */
  readonly parentSpanId: string
  /** 1 for a root. */
  readonly depth: number
  readonly name: string
  readonly service: string
  readonly kind: string
  readonly model: string
  readonly errorType: string
  readonly costUsd: string | null
  readonly offsetMs: number
  readonly durationMs: number
  /** Without what its children ran for. */
  readonly selfMs: number
  readonly isCritical: boolean
  /** Its part of the critical path. */
  readonly pathMs: number
}

interface TotalRow {
  readonly tenant: string
  readonly start_ms: string
  readonly duration_ms: number
  readonly spans: string
  readonly errors: string
  readonly llm_calls: string
  readonly unpriced: string
  readonly cost_usd: string
  readonly root_name: string
  readonly root_service: string
  readonly user: string
  readonly session: string
}

interface SpanRow {
  readonly span_id: string
  readonly parent_span_id: string
  readonly depth: number
  readonly name: string
  readonly service: string
  readonly kind: string
  readonly model: string
  readonly error_type: string
  readonly cost_usd: string | null
  readonly offset_ms: number
  readonly duration_ms: number
  readonly self_ms: number
  readonly is_critical: boolean
  readonly path_ms: number
}

/** Reads a trace with its spans, parents before children; undefined where there is no such trace. */
export async function readTrace(
  clickhouse: ClickHouse,
  traceId: string,
): Promise<{ readonly total: TraceTotal; readonly spans: readonly TreeSpan[] } | undefined> {
  const asked = { trace_id: traceId }
  const [row] = await clickhouse.query<TotalRow>(readQuery('trace_total'), asked)
  if (row === undefined) return undefined
  const rows = await clickhouse.query<SpanRow>(readQuery('trace_spans'), asked)
  return { total: toTotal(traceId, row), spans: rows.map(toSpan) }
}

function toTotal(traceId: string, row: TotalRow): TraceTotal {
  const unpriced = Number(row.unpriced)
  return {
    traceId,
    tenant: row.tenant,
    startedAt: new Date(Number(row.start_ms)).toISOString(),
    durationMs: row.duration_ms,
    spans: Number(row.spans),
    errors: Number(row.errors),
    llmCalls: Number(row.llm_calls),
    costUsd: costOf(row.cost_usd, unpriced),
    unpriced,
    rootName: row.root_name,
    rootService: row.root_service,
    user: row.user,
    session: row.session,
  }
}

function toSpan(row: SpanRow): TreeSpan {
  return {
    spanId: row.span_id,
    parentSpanId: row.parent_span_id,
    depth: row.depth,
    name: row.name,
    service: row.service,
    kind: row.kind,
    model: row.model,
    errorType: row.error_type,
    costUsd: row.cost_usd,
    offsetMs: row.offset_ms,
    durationMs: row.duration_ms,
    selfMs: row.self_ms,
    isCritical: row.is_critical,
    pathMs: row.path_ms,
  }
}

const COLUMNS = ['span (● on the critical path)', 'kind', 'from ms', 'ms', 'self', 'path', 'USD']

/** A trace as a page: its totals, its tree, at most `limit` spans of it, and where its time went. */
export function formatTrace(
  total: TraceTotal,
  spans: readonly TreeSpan[],
  limit: number,
): readonly string[] {
  const { rootService, rootName, tenant, user, session } = total
  const whose = [
    ['tenant', tenant],
    ['user', user],
    ['session', session],
  ].flatMap(([what, name = '']) => (name === '' ? [] : [`${what} ${name}`]))
  const lines = treeLines(spans)
  const rows = lines
    .slice(0, limit)
    .map(({ span, text }) => [
      `${span.isCritical ? '●' : '·'} ${text}`,
      span.kind,
      ms(span.offsetMs),
      ms(span.durationMs),
      ms(span.selfMs),
      span.isCritical ? ms(span.pathMs) : '',
      span.costUsd ?? '',
    ])
  const service = rootService === '' ? '' : ` (${rootService})`
  const root = rootName === '' ? 'without a root' : `${rootName}${service}`
  return [
    `Trace ${total.traceId}: ${root}`,
    [`Started ${total.startedAt}`, ...whose].join(', '),
    [
      `Took ${ms(total.durationMs)} ms`,
      plural(total.spans, 'span'),
      plural(total.llmCalls, 'LLM call'),
      plural(total.errors, 'error'),
      `USD ${usd(total.costUsd, total.unpriced)}`,
    ].join(', '),
    '',
    ...textTable([COLUMNS, ...rows], 2),
    ...(lines.length > limit ? [`… and ${count(lines.length - limit)} more (--limit)`] : []),
    ...without(total.spans - spans.length),
    '',
    `Critical path: ${pathText(total, spans)}`,
  ]
}

function without(placeless: number): readonly string[] {
  if (placeless <= 0) return []
  return [
    `${plural(placeless, 'span')} without a place in the tree: a circle of parents, or too many levels`,
  ]
}

/** The spans in the order of a tree, each after its parent, with the branches that lead to it. */
export function treeLines(
  spans: readonly TreeSpan[],
): readonly { readonly span: TreeSpan; readonly text: string }[] {
  const children = Map.groupBy(spans, ({ parentSpanId }) => parentSpanId)
  const lines: { span: TreeSpan; text: string }[] = []
  const open: { span: TreeSpan; before: string; isLast: boolean }[] = []
  // A stack of its own instead of a call for each level: a trace may be deeper than the stack.
  const push = (family: readonly TreeSpan[], before: string): void => {
    for (const [index, span] of [...family.entries()].toReversed()) {
      open.push({ span, before, isLast: index === family.length - 1 })
    }
  }
  push(children.get('') ?? [], '')
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { span, before, isLast } = next
    const isRoot = span.parentSpanId === ''
    const branch = isRoot ? '' : isLast ? '└─ ' : '├─ '
    lines.push({ span, text: `${before}${branch}${nameOf(span)}` })
    push(children.get(span.spanId) ?? [], isRoot ? before : `${before}${isLast ? '   ' : '│  '}`)
  }
  return lines
}

function nameOf({ name, model, errorType }: TreeSpan): string {
  const ofModel = model === '' || name.includes(model) ? '' : ` ${model}`
  return `${name}${ofModel}${errorType === '' ? '' : ` ✗ ${errorType}`}`
}

/** Shares of the critical path by kind of span, largest first, such as `llm 91.0 %, tool 9.0 %`. */
function pathText({ durationMs }: TraceTotal, spans: readonly TreeSpan[]): string {
  if (durationMs === 0) return 'none, the trace took no time'
  const kinds = [...Map.groupBy(spans, ({ kind }) => kind)].map(([kind, family]): PathPart => {
    return [kind, family.reduce((sum, { pathMs }) => sum + pathMs, 0)]
  })
  const walkedMs = kinds.reduce((sum, [, pathMs]) => sum + pathMs, 0)
  // What is left of rounding is not waiting.
  const waitingMs = durationMs - walkedMs < 1e-6 ? 0 : durationMs - walkedMs
  const parts: readonly PathPart[] = [...kinds, ['waiting (nothing ran)', waitingMs]]
  return parts
    .filter(([, pathMs]) => pathMs > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, pathMs]) => `${kind} ${percent(pathMs / durationMs)}`)
    .join(', ')
}

type PathPart = readonly [kind: string, pathMs: number]
