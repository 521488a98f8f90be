import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Alert, AlertDelivery } from '../../../schemas/items.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { outside, readDeliveries, recordsOf, runProcess } from './notify-runs.ts'
import { alertOf, answerOf, channelOf, NOON_MS, resolvedOf, scriptedExchange } from './samples.ts'
import { CRASH_CASES, runWithFaults } from './crash-runs.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
afterAll(() => receiver.stop())

const SECRET = 'whsec-0123456789'
const hook = (more = '') =>
  channelOf(
    `type: webhook\nurl: ${receiver.url}/T0K3N\nsecret: \${SECRET}\nallow_private: true\ntimeout: 1s\n${more}`,
    { SECRET },
  )

/** Tells a channel of alerts, one to a record, and gives the log of deliveries. */
async function tell(
  changes: readonly Alert[],
  channel = hook(),
): Promise<readonly AlertDelivery[]> {
  const kafka = outside(recordsOf(changes.map((alert) => [alert])))
  await runProcess(kafka, { channel })
  return readDeliveries(kafka)
}

describe('A channel', () => {
  test('is told of a change, and the delivery is logged', async () => {
    const alert = alertOf({ alert_id: 'told' })
    expect(await tell([alert])).toEqual([
      {
        alert_id: 'told',
        incident_id: 'i1',
        rule: 'cost-spike',
        state: 'firing',
        channel: 'it',
        channel_type: 'webhook',
        dedup_key: 'told',
        outcome: 'delivered',
        attempts: 1,
        status: 200,
        detail: '',
        time_unix_nano: BigInt(NOON_MS + 60_000) * 1_000_000n,
        latency_ms: 60_000n,
      },
    ])
    expect(receiver.taken.get('told')).toBe(1)
  })

  test.each<[string, Partial<Alert>, AlertDelivery['outcome'] | 'none']>([
    ['that fires', {}, 'delivered'],
    ['that is resolved', { state: 'resolved', previous_state: 'firing' }, 'delivered'],
    ['that still fires', { previous_state: 'firing', reason: 'reminder' }, 'delivered'],
    ['that is no longer muted', { previous_state: 'firing', reason: 'unmuted' }, 'delivered'],
    ['that is pending', { state: 'pending', previous_state: 'inactive' }, 'none'],
    ['that is inactive', { state: 'inactive', previous_state: 'pending' }, 'none'],
    ['that is muted', { notify: false, muted_by: 'silence:1' }, 'muted'],
    ['that is muted and resolved', { state: 'resolved', notify: false, muted_by: 'x' }, 'muted'],
    [
      'that is muted and still fires',
      { previous_state: 'firing', notify: false, muted_by: 'silence:1' },
      'none',
    ],
    ['that is for nobody', { notify: false }, 'none'],
    ['that another channel is for', { severity: 'info' }, 'none'],
    [
      'that is muted, for another channel',
      { severity: 'info', notify: false, muted_by: 'x' },
      'none',
    ],
  ])('and an alert %s', async (name, rest, outcome) => {
    const channel = hook('severities: [warning, critical]')
    const told = await tell([alertOf({ alert_id: encodeURI(name), ...rest })], channel)
    expect(told.map((delivery) => delivery.outcome)).toEqual(outcome === 'none' ? [] : [outcome])
    expect(receiver.taken.has(encodeURI(encodeURI(name)))).toBe(outcome === 'delivered')
    expect(told.map(({ detail }) => detail)).toEqual(
      outcome === 'muted' ? [rest.muted_by] : told.map(() => ''),
    )
  })

  test('is not told of what is too old', async () => {
    const [delivery] = await tell([alertOf({ alert_id: 'old' })], hook('max_age: 59s'))
    expect(delivery).toMatchObject({
      outcome: 'expired',
      attempts: 0,
      detail: expect.stringMatching(/59000/),
    })
    const [recent] = await tell([alertOf({ alert_id: 'recent' })], hook('max_age: 60s'))
    expect(recent).toMatchObject({ outcome: 'delivered' })
    expect(receiver.taken.has('old')).toBe(false)
  })

  test('is told once where its receiver fails twice', async () => {
    receiver.replies.push({ status: 500 }, { status: 500 })
    const [delivery] = await tell([alertOf({ alert_id: 'thrice' })])
    expect(delivery).toMatchObject({ outcome: 'delivered', attempts: 3, status: 200 })
    expect(receiver.taken.get('thrice')).toBe(1)
  })

  test('waits as long as its receiver asks', async () => {
    receiver.replies.push({ status: 429, headers: { 'retry-after': '90' } })
    const [delivery] = await tell([alertOf({ alert_id: 'later' })])
    expect(delivery).toMatchObject({ outcome: 'delivered', attempts: 2, latency_ms: 150_000n })
  })

  test('is given up where its receiver refuses', async () => {
    receiver.replies.push({ status: 400, body: 'no' })
    const [first, second] = await tell([
      alertOf({ alert_id: 'bad' }),
      alertOf({ alert_id: 'good' }),
    ])
    expect(first).toMatchObject({
      outcome: 'failed',
      attempts: 1,
      status: 400,
      detail: 'HTTP 400: no',
    })
    expect(second).toMatchObject({ outcome: 'delivered' })
  })

  test('is tried again where its receiver hangs', async () => {
    receiver.replies.push('hang')
    const [delivery] = await tell([alertOf({ alert_id: 'hung' })])
    expect(delivery).toMatchObject({ outcome: 'delivered', attempts: 2 })
    expect(receiver.taken.get('hung')).toBe(1)
  })

  test('is given up after a time', async () => {
    const down = await startReceiver({ answer: () => ({ status: 503, body: 'down' }) })
    const lines = `type: webhook\nurl: ${down.url}\nallow_private: true\ngive_up_after: 10s`
    const [delivery] = await tell([alertOf()], channelOf(lines))
    await down.stop()
    expect(delivery).toMatchObject({ outcome: 'failed', detail: 'given up: HTTP 503: down' })
    expect(delivery?.attempts).toBe(down.requests.length)
  })

  test('of a private network is refused', async () => {
    const url = receiver.url.replace('127.0.0.1', 'localhost')
    const [delivery] = await tell([alertOf()], channelOf(`type: webhook\nurl: ${url}`))
    expect(delivery).toMatchObject({
      outcome: 'refused',
      attempts: 1,
      detail: expect.stringMatching(/^localhost: .* is not a public address/),
    })
  })

  test('gets each alert of a record', async () => {
    const kafka = outside(
      recordsOf([[alertOf({ alert_id: 'x1' }), resolvedOf({ alert_id: 'x2' })]]),
    )
    await runProcess(kafka, { channel: hook() })
    expect(kafka.deliveries).toHaveLength(1)
    expect(readDeliveries(kafka).map(({ alert_id: id }) => id)).toEqual(['x1', 'x2'])
    expect([receiver.taken.get('x1'), receiver.taken.get('x2')]).toEqual([1, 1])
  })

  test('goes on after a record that cannot be read', async () => {
    const records = recordsOf([[alertOf()], [alertOf({ alert_id: 'next' })]])
    const broken = records.map((record, i) =>
      i === 0 ? { ...record, value: Buffer.from('nonsense') } : record,
    )
    const kafka = outside(broken)
    const lines: string[] = []
    await runProcess(kafka, { channel: hook(), log: (line) => lines.push(line) })
    expect(readDeliveries(kafka).map(({ alert_id: id }) => id)).toEqual(['next'])
    expect(lines.join('')).toContain('A record of alerts cannot be read.')
  })

  test('shows no secret in any log or record, whatever happens', async () => {
    const lines: string[] = []
    const quote = `you sent ${SECRET} to /T0K3N`
    receiver.replies.push({ status: 500, body: quote }, { status: 403, body: quote }, 'hang', {
      status: 404,
      body: `${'x'.repeat(190)}${SECRET}`,
    })
    const kafka = outside(recordsOf([[alertOf()], [resolvedOf()]]))
    await runProcess(kafka, { channel: hook(), log: (line) => lines.push(line) })
    const shown = [...lines, JSON.stringify(kafka.deliveries.map(({ value }) => value.toString()))]
    expect(readDeliveries(kafka).map(({ detail }) => detail.slice(0, 28))).toEqual([
      'HTTP 403: you sent *** to **',
      `HTTP 404: ${'x'.repeat(18)}`,
    ])
    expect(lines.length).toBeGreaterThan(4)
    for (const secret of [SECRET, 'T0K3N', SECRET.slice(0, 5)]) {
      expect(shown.join('')).not.toContain(secret)
    }
  })
})

describe('After a crash between sending and committing', () => {
  test('the receiver sees the same key again, and counts one', async () => {
    const kafka = outside(recordsOf([[alertOf({ alert_id: 'crashed' })]]))
    const channel = hook()
    const dying = runProcess(kafka, {
      channel,
      onStep: (step) => {
        if (step === 'write') throw new Error('killed')
      },
    })
    await expect(dying).rejects.toThrow('killed')
    await runProcess(kafka, { channel })
    expect(receiver.taken.get('crashed')).toBe(2)
    const bodies = receiver.requests
      .filter(({ headers }) => headers['idempotency-key'] === 'crashed')
      .map(({ body }) => body)
    expect(bodies).toHaveLength(2)
    expect(new Set(bodies).size).toBe(1)
    expect(readDeliveries(kafka)).toMatchObject([{ outcome: 'delivered', attempts: 1 }])
  })

  test('one that cannot be asked is not told again, and one that was not reached is', async () => {
    const channel = channelOf('type: slack\nurl: https://hooks.example.com/x')
    const kafka = outside(recordsOf([[alertOf()]]))
    const exchange = scriptedExchange(answerOf(503), answerOf(200))
    let commits = 0
    const dieAt = (commit: number) => (step: string, when: string) => {
      if (step === 'commit' && when === 'after' && ++commits === commit) throw new Error('killed')
    }
    // Noted, sent, not taken, note taken back: nothing is uncertain.
    const first = runProcess(kafka, { channel, exchange, onStep: dieAt(2) })
    await expect(first).rejects.toThrow('killed')
    commits = 0
    // Noted, and then nobody knows.
    const second = runProcess(kafka, { channel, exchange, onStep: dieAt(1) })
    await expect(second).rejects.toThrow('killed')
    await runProcess(kafka, { channel, exchange })
    expect(exchange.requests).toHaveLength(1)
    expect(readDeliveries(kafka)).toMatchObject([
      { outcome: 'failed', detail: expect.stringMatching(/^it may have arrived/) },
    ])
  })
})

describe('With crashes, lost answers and refusals anywhere', () => {
  test.each(CRASH_CASES)('%s', async (_, crashCase) => {
    let crashes = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(99), { maxLength: 80 }),
        fc.array(fc.nat(2), { minLength: 1, maxLength: 6 }),
        async (faults, incidents) => {
          const run = await runWithFaults(crashCase, faults, incidents)
          crashes += run.crashes
          expect(crashCase.broken(run)).toEqual([])
        },
      ),
      { seed: 20_260_301, numRuns: 300 },
    )
    expect(crashes).toBeGreaterThan(300)
  })
})
