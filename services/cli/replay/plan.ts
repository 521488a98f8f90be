import { chooseTrace, type TraceChoices } from './choices.ts'
import type { WorkloadRequest } from './csv.ts'
import { createRandom } from './random.ts'
import { planTimes, type TraceTimes } from './timeline.ts'

/** What happens in one trace, apart from its ids and the moment it starts. */
export interface TracePlan extends TraceChoices {
  readonly times: TraceTimes
}

/** Names of the streams of random numbers of one row; ids have a third, see trace.ts. */
const streams = { choices: 1, latency: 2 } as const

/**
 * Decides everything about the trace of row `index`. Rows do not depend on each other: each draws
 * from streams of its own, named by seed and index.
 */
export function planTrace(request: WorkloadRequest, index: number, seed: number): TracePlan {
  const choices = chooseTrace(request, createRandom([seed, index, streams.choices]))
  const latency = createRandom([seed, index, streams.latency])
  return { ...choices, times: planTimes(request, choices, latency) }
}
