import {
  between,
  createRandom,
  pick,
  pickWeighted,
  type Random,
} from '../../services/cli/replay/random.ts'

/** Copies of workers: the first of each kind are always there, the second come and go. */
export const SLOTS = ['ingest', 'enrich', 'sink', 'alert'] as const
export const COPIES = ['enrich-2', 'sink-2', 'alert-2'] as const
export type Slot = (typeof SLOTS)[number] | (typeof COPIES)[number]
export type EngineTarget = 'kafka' | 'clickhouse'

/** Ways through a proxy: each worker's to the broker, the sinks' to ClickHouse, clients' to ingest. */
export type LinkName =
  | `${Slot}>kafka`
  | 'producer>kafka'
  | 'sink>clickhouse'
  | 'sink-2>clickhouse'
  | 'clients>http'
  | 'clients>grpc'

/** What is done to a link: see links.ts. */
export type Trouble = 'refuse' | 'hold' | 'swallow' | 'lose-answers' | 'throttle'

/** One thing that goes wrong, from `atMs` on, and for how long. */
export type Fault = { readonly atMs: number; readonly lastMs: number } & (
  | { readonly kind: 'kill' | 'terminate' | 'freeze'; readonly target: Slot | EngineTarget }
  | { readonly kind: Trouble; readonly target: LinkName }
  | { readonly kind: 'fill-disk'; readonly target: 'clickhouse'; readonly leaveBytes: number }
  | { readonly kind: 'jump-clock'; readonly target: Slot; readonly byMs: number }
  | { readonly kind: 'copy'; readonly target: (typeof COPIES)[number]; readonly isKilled: boolean }
  | { readonly kind: 'poison'; readonly target: string; readonly number: number }
)
export type FaultKind = Fault['kind']

export interface PlanOptions {
  readonly seed: number
  readonly faults: number
  /** Mean pause between two faults. */
  readonly meanPauseMs: number
  /** Topics that records come into which nobody can read. */
  readonly topics: readonly string[]
  /** Kinds that this machine cannot do. */
  readonly without: ReadonlySet<FaultKind>
}

const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  kill: 24,
  terminate: 7,
  freeze: 12,
  refuse: 9,
  hold: 6,
  swallow: 8,
  'lose-answers': 14,
  throttle: 4,
  'fill-disk': 5,
  'jump-clock': 6,
  copy: 16,
  poison: 9,
}

/** Faults before one process is frozen for long. */
const FAULTS_OF_A_LONG_FREEZE = 100
const LONG_FREEZE_SHARE = 0.4
const LONGEST_FREEZE_MS = 300_000

const KAFKA_LINKS: readonly LinkName[] = [
  'ingest>kafka',
  'enrich>kafka',
  'sink>kafka',
  'alert>kafka',
  'enrich-2>kafka',
  'sink-2>kafka',
  'alert-2>kafka',
  'producer>kafka',
]
const INSERT_LINKS: readonly LinkName[] = ['sink>clickhouse', 'sink-2>clickhouse']
const LINKS: readonly LinkName[] = [
  ...KAFKA_LINKS,
  ...INSERT_LINKS,
  ...INSERT_LINKS,
  'clients>http',
  'clients>grpc',
]

/** What goes wrong when: the same seed gives the same plan. Faults overlap as they come. */
export function planFaults(options: PlanOptions): readonly Fault[] {
  const { seed, faults, meanPauseMs, topics, without } = options
  const random = createRandom([seed, faults, 0])
  const kinds = kindsOf(without)
  let atMs = 0
  const plan = Array.from({ length: faults }, (): Fault => {
    atMs += between(random, Math.floor(meanPauseMs * 0.3), Math.ceil(meanPauseMs * 1.7))
    const lasts = (min: number, max: number) => between(random, min, max)
    return MAKERS[pickWeighted(random, kinds).kind]({ atMs, random, topics, lasts })
  })
  return faults < FAULTS_OF_A_LONG_FREEZE ? plan : withLongFreeze(plan, random)
}

function kindsOf(without: ReadonlySet<FaultKind>) {
  return FAULT_KINDS.filter((kind) => !without.has(kind)).map((kind) => ({
    kind,
    weight: WEIGHTS[kind],
  }))
}

/** Every kind there is. */
export const FAULT_KINDS: readonly FaultKind[] = Object.keys(WEIGHTS).filter(isKind)

function isKind(kind: string): kind is FaultKind {
  return kind in WEIGHTS
}

/** Sinks and enrichers are hit most: what they do is the hardest to do once. */
const PROCESSES: readonly (Slot | EngineTarget)[] = [
  ...SLOTS,
  ...COPIES,
  'enrich',
  'sink',
  'sink',
  'kafka',
  'clickhouse',
  'clickhouse',
]

/** What a fault is made of. */
interface Making {
  readonly atMs: number
  readonly random: Random
  readonly topics: readonly string[]
  /** A duration between two. */
  readonly lasts: (min: number, max: number) => number
}

const ofProcess =
  (kind: 'kill' | 'terminate') =>
  ({ atMs, random }: Making): Fault => ({
    kind,
    atMs,
    lastMs: 0,
    target: pick(random, PROCESSES),
  })

const ofLink =
  (kind: Exclude<Trouble, 'throttle'>) =>
  ({ atMs, random, lasts }: Making): Fault => ({
    kind,
    atMs,
    lastMs: lasts(300, 6_000),
    target: pick(random, LINKS),
  })

const MAKERS: Readonly<Record<FaultKind, (making: Making) => Fault>> = {
  kill: ofProcess('kill'),
  terminate: ofProcess('terminate'),
  freeze({ atMs, random, lasts }) {
    // Below the session timeout and above it: the one pauses a worker, the other costs it its partitions.
    const lastMs = pick(random, [lasts(200, 2_000), lasts(5_000, 12_000)])
    return { kind: 'freeze', atMs, lastMs, target: pick(random, PROCESSES) }
  },
  refuse: ofLink('refuse'),
  hold: ofLink('hold'),
  swallow: ofLink('swallow'),
  'lose-answers': ofLink('lose-answers'),
  throttle: ({ atMs, random, lasts }) => ({
    kind: 'throttle',
    atMs,
    lastMs: lasts(2_000, 8_000),
    target: pick(random, INSERT_LINKS),
  }),
  // Less than the embedded server keeps free, and more than what it is just writing.
  'fill-disk': ({ atMs, random, lasts }) => ({
    kind: 'fill-disk',
    atMs,
    lastMs: lasts(1_000, 6_000),
    target: 'clickhouse',
    leaveBytes: between(random, 32, 200) * 1_048_576,
  }),
  'jump-clock': ({ atMs, random, lasts }) => ({
    kind: 'jump-clock',
    atMs,
    lastMs: lasts(1_000, 15_000),
    target: pick(random, SLOTS),
    byMs: pick(random, [-1, 1]) * pick(random, [lasts(500, 5_000), lasts(60_000, 1_800_000)]),
  }),
  copy: ({ atMs, random, lasts }) => ({
    kind: 'copy',
    atMs,
    lastMs: lasts(5_000, 40_000),
    target: pick(random, COPIES),
    isKilled: random.next() < 0.5,
  }),
  poison: ({ atMs, random, topics }) => ({
    kind: 'poison',
    atMs,
    lastMs: 0,
    target: pick(random, topics),
    number: random.uint32(),
  }),
}

/** One worker sleeps for most of the run, while a copy of it takes over. */
function withLongFreeze(plan: readonly Fault[], random: Random): readonly Fault[] {
  const endMs = plan.at(-1)?.atMs ?? 0
  const first = Math.floor(plan.length * 0.2)
  const atMs = plan[first]?.atMs ?? 0
  const lastMs = Math.min(LONGEST_FREEZE_MS, Math.floor(endMs * LONG_FREEZE_SHARE))
  const [target, copy] = pick(random, [
    ['enrich', 'enrich-2'],
    ['sink', 'sink-2'],
    ['alert', 'alert-2'],
  ] as const)
  return [
    ...plan.slice(0, first),
    { kind: 'freeze', atMs, lastMs, target },
    { kind: 'copy', atMs, lastMs, target: copy, isKilled: false },
    ...plan.slice(first + 2),
  ]
}

/** A fault in one line. */
export function describeFault(fault: Fault): string {
  const { kind, target, atMs, lastMs } = fault
  const more = {
    ...('byMs' in fault ? { by: `${fault.byMs} ms` } : {}),
    ...('leaveBytes' in fault ? { leaves: `${fault.leaveBytes} bytes` } : {}),
    ...('isKilled' in fault ? { ends: fault.isKilled ? 'kill' : 'terminate' } : {}),
  }
  const extra = Object.entries(more).map(([name, value]) => `, ${name} ${value}`)
  const lasting = lastMs > 0 ? ` for ${(lastMs / 1_000).toFixed(1)} s` : ''
  return `${(atMs / 1_000).toFixed(1).padStart(7)} s  ${kind} ${target}${lasting}${extra.join('')}`
}
