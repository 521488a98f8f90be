import type { TraceChoices } from './choices.ts'
import type { WorkloadRequest } from './csv.ts'
import { callLatency, stepLatencyMs } from './latency.ts'
import type { Random } from './random.ts'

/** A part of a trace, in whole nanoseconds since the trace began. */
export interface Step {
  readonly startNs: number
  readonly endNs: number
}

/** When each part of a trace begins and ends. */
export interface TraceTimes {
  readonly root: Step
  readonly route: Step
  readonly retrieval: Step | undefined
  readonly rerank: Step | undefined
  readonly call: Step
  /** From the call's start to the first chunk; undefined where no chunk came. */
  readonly firstChunkNs: number | undefined
  readonly tools: readonly Step[]
}

/** Median durations of the steps that do not depend on tokens. */
const medianMs = { receive: 0.8, route: 2, search: 45, rerank: 60, gap: 0.3, respond: 1.2 } as const

/** Lays the steps of a trace one after another; only reranking lies inside the retrieval. */
export function planTimes(
  request: WorkloadRequest,
  choices: TraceChoices,
  random: Random,
): TraceTimes {
  let nowNs = toNs(stepLatencyMs(medianMs.receive, random))
  const lay = (durationMs: number): Step => {
    const startNs = nowNs
    const endNs = startNs + toNs(durationMs)
    nowNs = endNs + toNs(stepLatencyMs(medianMs.gap, random))
    return { startNs, endNs }
  }
  const route = lay(stepLatencyMs(medianMs.route, random))
  const hasRetrieval = choices.documents !== undefined
  const searchMs = stepLatencyMs(medianMs.search, random)
  const rerankMs = stepLatencyMs(medianMs.rerank, random)
  const retrieval = hasRetrieval ? lay(searchMs + rerankMs + medianMs.gap) : undefined
  const { firstChunkMs, durationMs } = callTimes(request, choices, random)
  const call = lay(durationMs)
  const tools = choices.tools.map(({ tool }) => lay(stepLatencyMs(tool.medianMs, random)))
  return {
    root: { startNs: 0, endNs: nowNs + toNs(stepLatencyMs(medianMs.respond, random)) },
    route,
    retrieval,
    rerank: retrieval && rerankWithin(retrieval, searchMs, rerankMs),
    call,
    firstChunkNs: firstChunkMs === undefined ? undefined : toNs(firstChunkMs),
    tools,
  }
}

/** The latency of the model call: as the model has it, or as its error cuts it short. */
function callTimes(request: WorkloadRequest, choices: TraceChoices, random: Random) {
  const latency = callLatency(
    choices.model.latency,
    { ...request, cacheReadTokens: choices.cacheReadTokens },
    random,
  )
  const fails = choices.error?.fails
  const decodeMs = latency.durationMs - latency.firstChunkMs
  if (fails === undefined) return latency
  if (fails === 'before first chunk') {
    return { firstChunkMs: undefined, durationMs: latency.firstChunkMs }
  }
  if (fails === 'midway') {
    return { ...latency, durationMs: latency.firstChunkMs + decodeMs * random.next() }
  }
  // A client's timeout is a fixed time, every other failure takes about as long as its median.
  const isTimeout = choices.error?.type === 'timeout'
  const durationMs = isTimeout ? fails.afterMs : stepLatencyMs(fails.afterMs, random)
  return { firstChunkMs: undefined, durationMs }
}

function rerankWithin(retrieval: Step, searchMs: number, rerankMs: number): Step {
  const startNs = retrieval.startNs + toNs(searchMs)
  return { startNs, endNs: Math.min(startNs + toNs(rerankMs), retrieval.endNs) }
}

function toNs(ms: number): number {
  return Math.round(ms * 1_000_000)
}
