import { z } from 'zod'
import type { Alert, AlertDelivery } from '../../../schemas/items.ts'
import type { Channel } from '../../../services/alert/notify/channel.ts'
import type { Exchange, HttpRequest } from '../../../services/alert/notify/http-exchange.ts'
import { fakeClock, outside, readDeliveries, recordsOf, runProcess } from './notify-runs.ts'
import { alertOf, answerOf, channelOf, resolvedOf } from './samples.ts'
import { API_URL, createSlackStub, OPS, type SlackStub, TOKEN } from './slack-stub.ts'

/** The process dies of it. */
class Crash extends Error {
  override readonly name = 'Crash'
}

/** A receiver that acts on a request that arrives. */
interface FakeReceiver {
  arrive(request: HttpRequest): { readonly status: number; readonly body: string }
  /** How often people were told of each change, once repeats by key are taken for one. */
  told(): ReadonlyMap<string, number>
}

export interface FaultyRun {
  readonly changes: readonly Alert[]
  readonly told: ReadonlyMap<string, number>
  readonly deliveries: readonly AlertDelivery[]
  readonly crashes: number
  /** Whether it was ever uncertain if a request had arrived. */
  readonly wasUncertain: boolean
}

interface CrashCase {
  readonly channel: Channel
  readonly receiver: () => FakeReceiver
  /** What is not as it must be. */
  readonly broken: (run: FaultyRun) => readonly string[]
}

/** Firing, one reminder or none, and resolved, of some incidents one after the other. */
function changesOf(reminders: readonly number[]): readonly Alert[] {
  return reminders.flatMap((count, i) => {
    // Channels that get no id find it in the texts.
    const change = (what: string) => {
      const id = `i${i}-${what}`
      return { alert_id: id, incident_id: `i${i}`, summary: id, annotations: { id } }
    }
    const again = { previous_state: 'firing', reason: 'reminder' } as const
    const reminded = Array.from({ length: count }, (_, n) =>
      alertOf({ ...change(`again-${n}`), ...again }),
    )
    return [alertOf(change('firing')), ...reminded, resolvedOf(change('resolved'))]
  })
}

/** Starts processes until one comes to the end; what happens at each step, `faults` say in turn. */
export async function runWithFaults(
  { channel, receiver }: CrashCase,
  faults: readonly number[],
  reminders: readonly number[],
): Promise<FaultyRun> {
  const changes = changesOf(reminders)
  // Each record is there twice: the evaluator wrote it again.
  const records = recordsOf(changes.map((change) => [change])).flatMap((record) => [record, record])
  const kafka = outside(records.map((record, i) => ({ ...record, offset: BigInt(i) })))
  const there = receiver()
  const clock = fakeClock()
  let next = 0
  let wasUncertain = false
  const fault = () => faults[next++] ?? 0
  const crashAt = (from: number, dice: number) => {
    if (dice < from || dice >= from + 10) return
    wasUncertain = true
    throw new Crash('killed')
  }
  const exchange: Exchange = async (request) => {
    const dice = fault()
    crashAt(60, dice)
    if (dice >= 70 && dice < 75) return answerOf(503)
    if (dice >= 75 && dice < 80) return answerOf(429, '', '7')
    if (dice >= 80 && dice < 85) return { type: 'lost', detail: 'refused', isSent: false }
    const answer = there.arrive(request)
    crashAt(90, dice)
    if (dice < 85) return answerOf(answer.status, answer.body)
    wasUncertain = true
    return { type: 'lost', detail: 'reset', isSent: true }
  }
  let dice = 0
  const onStep = (_: string, when: 'before' | 'after') => {
    if (when === 'before') dice = fault()
    crashAt(when === 'before' ? 80 : 90, dice)
  }
  for (let crashes = 0; ; crashes++) {
    try {
      await runProcess(kafka, { channel, clock, exchange, onStep })
      const deliveries = readDeliveries(kafka)
      return { changes, told: there.told(), deliveries, crashes, wasUncertain }
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    }
  }
}

/** Counts requests by what tells repeats apart. */
function countingReceiver(
  keyOf: (request: HttpRequest) => string,
  { status = 200, isDeduplicated = true } = {},
): FakeReceiver {
  const told = new Map<string, number>()
  return {
    arrive(request) {
      const key = keyOf(request)
      told.set(key, isDeduplicated ? 1 : (told.get(key) ?? 0) + 1)
      return { status, body: 'ok' }
    },
    told: () => told,
  }
}

/** Messages of a Slack by the change that they were posted for; resolved ones by updates. */
function slackReceiver(slack: SlackStub = createSlackStub()): FakeReceiver {
  return {
    arrive: (request) => slack.handle(request),
    told() {
      const told = new Map<string, number>()
      const add = (id: string) => told.set(id, (told.get(id) ?? 0) + 1)
      for (const { metadata } of slack.messages) add(metadata?.event_payload['alert_id'] ?? '')
      const updated = new Set<string>()
      const resolved = slack.messages.filter(({ text }) => text.startsWith('Resolved'))
      for (const { metadata } of resolved) {
        const incident = metadata?.event_payload['incident_id'] ?? ''
        const all = slack.messages.filter(
          (message) => message.metadata?.event_payload['incident_id'] === incident,
        )
        if (all.every(({ text }) => text.startsWith('Resolved')))
          updated.add(`${incident}-resolved`)
      }
      for (const id of updated) add(id)
      return told
    },
  }
}

/** Every change has exactly one delivery in the log, in order, and what it says is so. */
function brokenLog({ changes, told, deliveries }: FaultyRun): readonly string[] {
  const ids = changes.map(({ alert_id: id }) => id)
  const logged = deliveries.map(({ alert_id: id }) => id)
  const untrue = deliveries.filter(
    ({ outcome, alert_id: id }) => outcome === 'delivered' && !told.has(id),
  )
  return [
    ...(ids.join() === logged.join() ? [] : [`logged ${logged.join()}, not ${ids.join()}`]),
    ...untrue.map(({ alert_id: id }) => `${id} is logged as delivered, and was not`),
  ]
}

function exactlyOnce(run: FaultyRun): readonly string[] {
  const { changes, told, deliveries } = run
  const wrong = changes.filter(({ alert_id: id }) => told.get(id) !== 1)
  return [
    ...brokenLog(run),
    ...wrong.map(({ alert_id: id }) => `${id}: ${told.get(id) ?? 0} times`),
    ...deliveries.flatMap(({ outcome, alert_id: id, detail }) =>
      outcome === 'delivered' ? [] : [`${id} ${outcome}: ${detail}`],
    ),
  ]
}

function atMostOnce(run: FaultyRun): readonly string[] {
  const { changes, told, wasUncertain } = run
  const twice = changes.filter(({ alert_id: id }) => (told.get(id) ?? 0) > 1)
  return [
    ...brokenLog(run),
    ...twice.map(({ alert_id: id }) => `${id}: ${told.get(id)} times`),
    ...(wasUncertain ? [] : exactlyOnce(run)),
  ]
}

function atLeastOnce(run: FaultyRun): readonly string[] {
  const { changes, told, wasUncertain } = run
  const never = changes.filter(({ alert_id: id }) => !told.has(id))
  return [
    ...brokenLog(run),
    ...never.map(({ alert_id: id }) => `${id}: never`),
    ...(wasUncertain ? [] : exactlyOnce(run)),
  ]
}

const bot = (conversation: string) =>
  channelOf(`type: slack\ntoken: \${TOKEN}\napi_url: ${API_URL}\nchannel: ${conversation}`, {
    TOKEN,
  })
const slackHook = (more = '') => channelOf(`type: slack\nurl: https://hooks.example.com/x\n${more}`)

const pagerDutyEvent = z.object({
  event_action: z.string(),
  dedup_key: z.string(),
  payload: z.object({ custom_details: z.object({ id: z.string() }) }).optional(),
})
const postedAlerts = z.array(z.object({ annotations: z.object({ id: z.string() }) }))
const postedText = z.object({ text: z.string() })

/** The change that an event of PagerDuty's is of: a resolve tells its incident alone. */
function eventChange({ body }: HttpRequest): string {
  const { dedup_key: key, payload } = pagerDutyEvent.parse(JSON.parse(body))
  return payload?.custom_details.id ?? `${key}-resolved`
}

function alertmanagerChange({ body }: HttpRequest): string {
  return postedAlerts.parse(JSON.parse(body))[0]?.annotations.id ?? ''
}

function textChange({ body }: HttpRequest): string {
  return postedText.parse(JSON.parse(body)).text.split(' – ')[1] ?? ''
}

export const CRASH_CASES: readonly (readonly [string, CrashCase])[] = [
  [
    'a webhook is told exactly once, by its key',
    {
      channel: channelOf('type: webhook\nurl: https://example.com/hook'),
      receiver: () => countingReceiver(({ headers }) => headers['idempotency-key'] ?? ''),
      broken: exactlyOnce,
    },
  ],
  [
    'PagerDuty is told exactly once, by its key',
    {
      channel: channelOf('type: pagerduty\nrouting_key: abcdefgh'),
      receiver: () => countingReceiver(eventChange, { status: 202 }),
      broken: exactlyOnce,
    },
  ],
  [
    'Alertmanager is told exactly once, by its labels',
    {
      channel: channelOf('type: alertmanager\nurl: https://am.example.com'),
      receiver: () => countingReceiver(alertmanagerChange),
      broken: exactlyOnce,
    },
  ],
  [
    'Slack has exactly one message of a bot for each, updated when it is resolved',
    { channel: bot(OPS), receiver: () => slackReceiver(), broken: exactlyOnce },
  ],
  [
    'Slack has exactly one message of a bot that knows the channel by name',
    { channel: bot("'#ops'"), receiver: () => slackReceiver(), broken: exactlyOnce },
  ],
  [
    'an incoming webhook of Slack is told at most once, and exactly once where nothing is uncertain',
    {
      channel: slackHook(),
      receiver: () => countingReceiver(textChange, { isDeduplicated: false }),
      broken: atMostOnce,
    },
  ],
  [
    'an incoming webhook of Slack that is to be told again is told at least once',
    {
      channel: slackHook('on_unknown: resend'),
      receiver: () => countingReceiver(textChange, { isDeduplicated: false }),
      broken: atLeastOnce,
    },
  ],
]
