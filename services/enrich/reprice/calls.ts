import type { ClickHouse, QueryParams } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { readStatement } from './statements.ts'
import type { CallState } from '../nested-calls.ts'
import type { StoredCall } from './stored-call.ts'
import { type CallHour, type Slice, sliceRange, type TimeRange, widen } from './time-range.ts'

/** Which calls are priced again. */
export interface Selection extends TimeRange {
  /** Asked for or answered by; undefined: every model. */
  readonly model: string | undefined
  readonly tenant: string | undefined
  /** Kinds of spans that are calls of models. */
  readonly kinds: readonly string[]
  /** Spans that landed at this time or later, milliseconds since the epoch, are left out. */
  readonly asOfMs: number
}

/** Some calls of a slice, with whole traces, but for large ones. */
export interface CallPage {
  readonly calls: readonly StoredCall[]
  /** Spans of those of the page's traces that have two calls or more. */
  readonly traceSpans: readonly TraceSpan[]
  /** Traces of more spans than are looked through for nested calls. */
  readonly largeTraces: ReadonlySet<string>
}

/** A span's place in its trace. */
export interface TraceSpan {
  readonly trace_id: string
  readonly span_id: string
  readonly parent_span_id: string
  /** 1 for a model call that tells what it used. */
  readonly call: CallState
}

export interface PageSizes {
  /** About as many calls are read at once. */
  readonly calls: number
  /** A trace of more spans is spread over pages, and its nested calls stay as they are. */
  readonly maxTraceSpans: number
}

const PAGE_SIZES: PageSizes = { calls: 10_000, maxTraceSpans: 20_000 }
const MAX_LARGE_TRACES = 100

/** The parts of a selection's range that have calls. */
export async function readSlices(
  clickhouse: ClickHouse,
  selection: Selection,
  { calls: maxCalls }: PageSizes = PAGE_SIZES,
): Promise<readonly Slice[]> {
  const rows = await clickhouse.query<{ hour: number; calls: string }>(
    readStatement('reprice_hours', clickhouse.database),
    parametersOf(selection, selection),
  )
  const hours: readonly CallHour[] = rows.map(({ hour, calls }) => ({ hour, calls: Number(calls) }))
  return sliceRange(selection, hours, maxCalls)
}

/** The calls of a slice, in pages that fit into memory. */
export async function* readPages(
  clickhouse: ClickHouse,
  selection: Selection,
  slice: Slice,
  sizes: PageSizes = PAGE_SIZES,
): AsyncGenerator<CallPage> {
  const { database } = clickhouse
  const largeTraces = await readLargeTraces(clickhouse, slice, sizes)
  const pages = Math.ceil(slice.calls / sizes.calls)
  const around = widen(slice)
  for (let page = 0; page < pages; page++) {
    const parameters = {
      ...parametersOf(selection, slice),
      around_from: toDateTime64(around.fromMs),
      around_to: toDateTime64(around.toMs),
      large_traces: largeTraces,
      pages,
      page,
    }
    yield {
      calls: await clickhouse.query<StoredCall>(
        readStatement('reprice_calls', database),
        parameters,
      ),
      traceSpans: await clickhouse.query<TraceSpan>(
        readStatement('reprice_trace_spans', database),
        parameters,
      ),
      largeTraces: new Set(largeTraces),
    }
  }
}

async function readLargeTraces(
  clickhouse: ClickHouse,
  range: TimeRange,
  { maxTraceSpans }: PageSizes,
): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ trace_id: string }>(
    readStatement('reprice_large_traces', clickhouse.database),
    {
      from: toDateTime64(range.fromMs),
      to: toDateTime64(range.toMs),
      max_spans: maxTraceSpans,
      limit: MAX_LARGE_TRACES,
    },
  )
  return rows.map(({ trace_id: traceId }) => traceId)
}

function parametersOf(selection: Selection, { fromMs, toMs }: TimeRange): QueryParams {
  const { model, tenant, kinds, asOfMs } = selection
  return {
    from: toDateTime64(fromMs),
    to: toDateTime64(toMs),
    as_of: toDateTime64(asOfMs),
    kinds,
    models: model === undefined ? [] : [model],
    tenants: tenant === undefined ? [] : [tenant],
  }
}
