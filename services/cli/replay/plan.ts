import { chooseTrace, type TraceChoices } from './choices.ts'
import type { WorkloadRequest } from './csv.ts'
import { isWithin, outage } from './incidents.ts'
import { chance, createRandom, type Random } from './random.ts'
import { chooseScores, type Score } from './scores.ts'
import { planTimes, type TraceTimes } from './timeline.ts'

/** What decides the traces of a workload, besides its rows. */
export interface PlanOptions {
  /** A whole number below 2³². */
  readonly seed: number
  /** When the workload begins, by its own clock: what goes wrong in it does so by the minute. */
  readonly firstRequestNs: bigint
}

/** What happens in one trace, apart from its ids and the moment it starts. */
export interface TracePlan extends TraceChoices {
  readonly times: TraceTimes
  readonly scores: readonly Score[]
}

/** Names of the streams of random numbers of one row; ids have one more, see trace.ts. */
const streams = { choices: 1, latency: 2, outage: 3, scores: 4 } as const
const nsPerMinute = 60_000_000_000

/**
 * Decides everything about the trace of row `index`. Rows do not depend on each other: each draws
 * from streams of its own, named by seed and index.
 */
export function planTrace(
  request: WorkloadRequest,
  index: number,
  { seed, firstRequestNs }: PlanOptions,
): TracePlan {
  const stream = (purpose: keyof typeof streams) => createRandom([seed, index, streams[purpose]])
  const minute = Number(request.timeNs - firstRequestNs) / nsPerMinute
  const usual = chooseTrace(request, stream('choices'))
  const choices = isHitByOutage(usual, minute, stream('outage'))
    ? { ...usual, error: outage.error, tools: [] }
    : usual
  return {
    ...choices,
    times: planTimes(request, choices, stream('latency')),
    scores: chooseScores(choices, minute, stream('scores')),
  }
}

function isHitByOutage({ model }: TraceChoices, minute: number, random: Random): boolean {
  const isDown = model.provider === outage.provider && isWithin(minute, outage)
  return isDown && chance(random, outage.error.share)
}
