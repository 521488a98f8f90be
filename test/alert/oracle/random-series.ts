import { createRandom, type Random } from '../random.ts'

/** What one service did in one bucket of time; nothing at all where it is undefined. */
export type Sample = { readonly count: number; readonly bad: number; readonly cents: number }

/** A service, by the seed that it was made from, and its buckets. */
export interface Series {
  readonly service: string
  readonly samples: readonly (Sample | undefined)[]
}

/** Shares that limits of the rules stand at: what is exactly there must not fire. */
const LIMITS = [0.05, 0.125, 0.15, 0.3, 0.72] as const

/** So many calls that each of the limits is a whole number of them. */
const EXACT_COUNT = 200

type Phase = (random: Random) => Sample | undefined

const sample = (random: Random, count: number, bad: number): Sample => {
  const most = random.pick([0, 3, 20, 90])
  return { count, bad: Math.min(bad, count), cents: count === 0 ? 0 : random.whole(0, most) }
}

const failing = (random: Random, from: number, to: number, share: number): Sample => {
  const count = random.whole(from, to)
  let bad = 0
  for (let i = 0; i < count; i++) if (random.next() < share) bad++
  return sample(random, count, bad)
}

/** What services do for a while. */
const PHASES: readonly [Phase, ...Phase[]] = [
  (random) => failing(random, 0, 2, 0.02),
  (random) => failing(random, 4, 14, 0.01),
  (random) => failing(random, 4, 14, random.pick([0.04, 0.05, 0.06])),
  (random) => failing(random, 2, 14, random.pick([0.1, 0.2, 0.5, 0.9])),
  (random) => failing(random, 6, 14, 0.8),
  () => undefined,
  (random) => (random.next() < 0.7 ? undefined : failing(random, 1, 6, 0.3)),
  (random) => sample(random, 0, 0),
]

/** A phase at a limit: a count with exactly this share of bad ones, one less or one more. */
function atLimit(random: Random): Phase {
  const limit = random.pick(LIMITS)
  const off = random.pick([0, 0, 0, -1, 1])
  const parts = random.pick([1, 5])
  const count = EXACT_COUNT / parts
  return (one) => sample(one, count, Math.floor(count * limit) + (one.next() < 0.1 ? off : 0))
}

/** Phases of random lengths, from a few buckets to `longest`. */
export function randomSeries(seed: number, buckets: number, longest: number): Series {
  const random = createRandom(seed)
  const samples: (Sample | undefined)[] = []
  while (samples.length < buckets) {
    const phase = random.next() < 0.1 ? atLimit(random) : random.pick(PHASES)
    const length = Math.max(1, Math.floor(longest * random.next() ** 3))
    for (let i = 0; i < length; i++) samples.push(phase(random))
  }
  return { service: `seed-${seed}`, samples: samples.slice(0, buckets) }
}
