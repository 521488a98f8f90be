import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSender } from '../../../services/alert/notify/create-sender.ts'
import { createWebhook } from '../../../services/alert/notify/webhook.ts'
import { alertOf, answerOf, channelOf, firstTry, NOON_MS, scriptedExchange } from './samples.ts'

const SECRET = 'whsec-0123456789'
const URL_LINE = 'url: https://example.com/hook'

const BODY = {
  version: 1,
  id: 'a1',
  incident_id: 'i1',
  rule: 'cost-spike',
  level: '2x',
  group: { tenant: 'acme', model: 'gpt-4o' },
  state: 'firing',
  previous_state: 'pending',
  reason: 'condition',
  severity: 'critical',
  time: '2026-03-01T12:00:00.000Z',
  firing_since: '2026-03-01T12:00:00.000Z',
  window_start: '2026-03-01T11:55:00.000Z',
  window_end: '2026-03-01T12:00:00.000Z',
  value: 12.3456,
  threshold: 10,
  baseline: 5,
  count: 1234,
  unit: 'USD',
  summary: 'acme spends <12.35 USD> & more',
  labels: { team: 'payments' },
  annotations: { runbook: 'https://example.com/runbook' },
  contributors: [{ dimension: 'model', name: 'gpt-4o', value: 12 }],
  trace_ids: ['00000000000000000000000000000001'],
  link: 'https://grafana.example.com/d/cost?from=1&to=2',
}

async function send(lines: string, alert = alertOf(), attempt = firstTry()) {
  const exchange = scriptedExchange()
  const sent = await createSender(channelOf(`type: webhook\n${lines}`), exchange).send(
    alert,
    attempt,
  )
  const [request, ...more] = exchange.requests
  if (request === undefined || more.length > 0) throw new Error('There is not one request')
  return { sent, request }
}

const sha = (...parts: readonly Buffer[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

/** HMAC-SHA256 as RFC 2104 has it, block size 64. */
function hmacSha256(key: string, message: string): string {
  const block = Buffer.alloc(64)
  block.set(Buffer.from(key))
  const pad = (byte: number) => Buffer.from(block.map((one) => one ^ byte))
  return sha(pad(0x5c), sha(pad(0x36), Buffer.from(message))).toString('hex')
}

describe('A webhook', () => {
  test('posts the alert as JSON, with a key to know repeats by', async () => {
    const { sent, request } = await send(URL_LINE)
    expect(sent).toEqual({ type: 'delivered', status: 200 })
    expect(JSON.parse(request.body)).toEqual(BODY)
    expect(request).toMatchObject({
      method: 'POST',
      url: 'https://example.com/hook',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Spanmeter',
        'idempotency-key': 'a1',
      },
    })
    expect(request.headers).not.toHaveProperty('x-spanmeter-signature')
  })

  test('says null for what there is not', async () => {
    const alert = alertOf({
      value: null,
      threshold: null,
      baseline: null,
      firing_since_unix_nano: 0n,
      window_start_unix_nano: 0n,
      window_end_unix_nano: 0n,
    })
    const { request } = await send(URL_LINE, alert)
    expect(JSON.parse(request.body)).toMatchObject({
      value: null,
      threshold: null,
      baseline: null,
      firing_since: null,
      window_start: null,
      window_end: null,
    })
  })

  test('signs the time and the body', async () => {
    const { request } = await send(`${URL_LINE}\nsecret: ${SECRET}`)
    const seconds = NOON_MS / 1_000 + 60
    expect(request.headers['x-spanmeter-signature']).toBe(
      `t=${seconds},v1=${hmacSha256(SECRET, `${seconds}.${request.body}`)}`,
    )
  })

  test('has the same key and body with every try, and a signature of its time', async () => {
    const lines = `${URL_LINE}\nsecret: ${SECRET}`
    const first = await send(lines)
    const later = firstTry({ mayHaveArrived: true, nowMs: NOON_MS + 120_000 })
    const second = await send(lines, alertOf(), later)
    expect(second.request.body).toBe(first.request.body)
    expect(second.request.headers['idempotency-key']).toBe('a1')
    expect(second.request.headers['x-spanmeter-signature']).toMatch(
      /^t=1772366520,v1=[0-9a-f]{64}$/,
    )
    expect(first.request.headers['x-spanmeter-signature']).toMatch(/^t=1772366460,v1=[0-9a-f]{64}$/)
  })

  test('sends headers of its own, and fills a template', async () => {
    const lines = [
      URL_LINE,
      'headers: { Authorization: Bearer abcd, content-type: application/vnd.x+json }',
      `template: '{"text": "{{rule}} {{summary}}", "labels": {{{json.labels}}}}'`,
    ]
    const { request } = await send(lines.join('\n'), alertOf({ summary: 'a "b"\nc' }))
    expect(request.headers).toMatchObject({
      Authorization: 'Bearer abcd',
      'content-type': 'application/vnd.x+json',
      'idempotency-key': 'a1',
    })
    expect(JSON.parse(request.body)).toEqual({
      text: 'cost-spike a "b"\nc',
      labels: { team: 'payments' },
    })
  })

  test('has a key that a header can carry, whatever the id', () => {
    const channel = channelOf(`type: webhook\n${URL_LINE}`)
    if (channel.type !== 'webhook') throw new Error('This is no webhook')
    const sender = createWebhook(channel, scriptedExchange())
    expect(sender.dedupKey(alertOf({ alert_id: 'budget/80%:ü 1' }))).toBe('budget/80%25:%C3%BC%201')
  })

  test('never shows what the receiver quotes of its secrets', async () => {
    const lines = `type: webhook\nurl: https://example.com/hook/T0K3N?k=q1w2e3\nsecret: ${SECRET}\nheaders: { X-Key: h3ad3r }`
    const padding = 'x'.repeat(195)
    const exchange = scriptedExchange(
      answerOf(403, `bad ${SECRET} h3ad3r /hook/T0K3N?k=q1w2e3`),
      answerOf(403, `${padding}${SECRET}`),
    )
    const sender = createSender(channelOf(lines), exchange)
    const [first, second] = [
      await sender.send(alertOf(), firstTry()),
      await sender.send(alertOf(), firstTry()),
    ]
    expect(first).toMatchObject({ type: 'failed', detail: 'HTTP 403: bad *** *** ***' })
    expect(second).toMatchObject({ type: 'failed', detail: `HTTP 403: ${padding}***` })
  })
})
