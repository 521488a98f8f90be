import { setTimeout as delay } from 'node:timers/promises'
import { readers } from '#schemas/readers.ts'
import { alerts } from '#schemas/topics.ts'
import { notificationOf } from '../integration/alert-runs.ts'
import { expectedSpans } from '../support/expected.ts'
import { startReceiver } from '../support/receiver.ts'
import { until } from '../support/stack.ts'
import { type ChaosStack, startChaosStack } from './chaos-stack.ts'
import { channelsTo, compareAlerts, NOTIFIERS, RULES } from './compare-alerts.ts'
import { collectGiven, compareTables } from './compare.ts'
import { crashesOf } from './crashes.ts'
import { isDifferent } from './difference.ts'
import { createFaultRunner, type Done } from './faults.ts'
import { lateSpans } from './late.ts'
import { makeSendings, type Sending } from './load.ts'
import { startMonitor } from './monitor.ts'
import { COPIES, describeFault, type Fault, type FaultKind, planFaults, SLOTS } from './plan.ts'
import { openPoison, POISONED, type Poison } from './poison.ts'
import { produce, type Sent } from './producers.ts'
import { answersOf, recoveries, type Report } from './report.ts'

export interface RunOptions {
  readonly seed: number
  readonly faults: number
  /** Mean pause between two faults. */
  readonly meanPauseMs: number
  readonly rowsPerSecond: number
  /** Keeps all data, also where nothing is wrong. */
  readonly keep: boolean
  readonly without: ReadonlySet<FaultKind>
  readonly tell: (message: string) => void
  /** Ends the run early, with nothing left running or mounted. */
  readonly signal?: AbortSignal
}

/** Longer than the last fault lasts. */
const AFTER_MS = 5_000
const SENDING_DEADLINE_MS = 240_000
const SETTLE_DEADLINE_MS = 300_000

/** Puts the whole pipeline under load and faults, heals all, and compares what came of it. */
export async function runChaos(options: RunOptions): Promise<Report> {
  const { tell } = options
  const receiver = await startReceiver({ keyOf: notificationOf })
  const stack = await startChaosStack({ rules: RULES, channels: channelsTo(receiver.url), tell })
  let keepData = true
  try {
    const report = await Promise.race([run(stack, options, receiver), aborted(options.signal)])
    keepData = options.keep || report.differences.some(isDifferent)
    return { ...report, dataDir: keepData ? stack.dataDir : undefined }
  } finally {
    tell(keepData ? `stopping; everything is kept in ${stack.dataDir}` : 'stopping')
    await stack.stop({ keepData })
    await receiver.stop()
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>

async function run(stack: ChaosStack, options: RunOptions, receiver: Receiver): Promise<Report> {
  const { seed, tell } = options
  const plan = planOf(stack, options)
  for (const fault of plan) tell(describeFault(fault))
  const lastMs = (plan.at(-1)?.atMs ?? 0) + AFTER_MS
  const sendings = makeSendings({ seed, lastMs, rowsPerSecond: options.rowsPerSecond })
  tell(`sending ${sendings.length} requests in ${Math.round(lastMs / 1_000)} s`)
  const poison = await openPoison(stack.kafka)
  const monitor = startMonitor(stack)
  const startedMs = performance.now()
  const under = await disturb(stack, { plan, sendings, poison, tell })
  const healedMs = performance.now()
  tell('all faults are over; waiting until everything is read')
  await settle(stack)
  const settledMs = performance.now()
  await monitor.stop()
  await poison.close()
  tell('comparing')
  const found = await compare(stack, under.sent, poison, receiver)
  return {
    seed,
    faults: plan.length,
    hit: under.done.filter(({ hit }) => hit).length,
    tookMs: Math.round(healedMs - startedMs),
    settledMs: Math.round(settledMs - healedMs),
    sent: {
      requests: under.sent.accepted.length,
      tries: under.sent.tries,
      answers: answersOf(under.sent),
    },
    late: lateSpans(under.sent.accepted, monitor.seen),
    recovery: recoveries(under.done, monitor),
    crashes: await crashesOf(stack.logDir),
    dataDir: undefined,
    ...found,
  }
}

function planOf({ disk }: ChaosStack, options: RunOptions): readonly Fault[] {
  const { seed, faults, meanPauseMs, tell } = options
  const without = new Set(options.without)
  if (disk === undefined) {
    tell('this user may not mount a disk in memory: no disk is filled up')
    without.add('fill-disk')
  }
  return planFaults({ seed, faults, meanPauseMs, topics: POISONED, without })
}

interface Disturbance {
  readonly plan: readonly Fault[]
  readonly sendings: readonly Sending[]
  readonly poison: Poison
  readonly tell: (message: string) => void
}

/** Sends while faults come and go; resolves when all are over and all was taken. */
async function disturb(
  stack: ChaosStack,
  { plan, sendings, poison, tell }: Disturbance,
): Promise<{ readonly done: readonly Done[]; readonly sent: Sent }> {
  const giveUp = new AbortController()
  const producing = produce(stack, sendings, giveUp.signal)
  const runner = createFaultRunner(stack, poison)
  const startMs = performance.now()
  const running: Promise<Done>[] = []
  for (const [i, fault] of plan.entries()) {
    await delay(Math.max(0, fault.atMs - (performance.now() - startMs)))
    running.push(runner.run(fault))
    if (i % 20 === 19) tell(`${i + 1} faults`)
  }
  const done = await Promise.all(running)
  for (const name of COPIES) await stack.slot(name)?.stop()
  const why = new Error(`clients were not all answered ${SENDING_DEADLINE_MS} ms after the faults`)
  const deadline = setTimeout(() => giveUp.abort(why), SENDING_DEADLINE_MS)
  const sent = await producing
  clearTimeout(deadline)
  return { done, sent }
}

const GROUPS = [
  ...Object.values(readers),
  ...NOTIFIERS.map((group) => ({ group, topic: alerts.name })),
]

/** Waits until every group has read all, twice in a row: what is behind one may have been handed on. */
async function settle(stack: ChaosStack): Promise<void> {
  const { kafka } = stack
  for (const name of SLOTS)
    if (stack.slot(name) === undefined) throw new Error(`${name} is not there`)
  let times = 0
  await until(
    'everything is read',
    SETTLE_DEADLINE_MS,
    async () => {
      const behind: string[] = []
      for (const { group, topic } of GROUPS) {
        const lag = await kafka.lag(group, topic).catch(() => -1n)
        if (lag !== 0n) behind.push(`${group}: ${lag}`)
      }
      times = behind.length === 0 ? times + 1 : 0
      return behind
    },
    () => times === 2,
  )
}

async function compare(
  stack: ChaosStack,
  sent: Sent,
  poison: Poison,
  receiver: Receiver,
): Promise<
  Pick<Report, 'expectedSpans' | 'lost' | 'doubled' | 'alerts' | 'checks' | 'differences'>
> {
  const given = await collectGiven(stack, sent.accepted, poison)
  const tables = await compareTables(stack, given)
  const spans = expectedSpans(given.spanBodies)
  const { differences: ofAlerts, ...told } = await compareAlerts(stack, spans, receiver)
  const differences = [...tables, ...ofAlerts]
  const total = (of: 'lostCount' | 'doubledCount') =>
    differences.reduce((sum, one) => sum + one[of], 0)
  return {
    expectedSpans: spans.length,
    lost: total('lostCount'),
    doubled: total('doubledCount'),
    alerts: told,
    checks: differences.length,
    differences,
  }
}
