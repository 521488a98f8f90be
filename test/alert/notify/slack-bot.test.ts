import { describe, expect, test } from 'vitest'
import type { Alert } from '../../../schemas/items.ts'
import { createSender } from '../../../services/alert/notify/create-sender.ts'
import type { Exchange } from '../../../services/alert/notify/http-exchange.ts'
import { slackMessage } from '../../../services/alert/notify/slack-message.ts'
import { alertOf, answerOf, channelOf, firstTry, resolvedOf, scriptedExchange } from './samples.ts'
import { API_URL, createSlackStub, OPS, type SlackStub, TOKEN } from './slack-stub.ts'

const LINES = `type: slack\ntoken: \${TOKEN}\napi_url: ${API_URL}`
const delivered = { type: 'delivered', status: 200 }
const afterCrash = firstTry({ mayHaveArrived: true })

const exchangeWith =
  (slack: SlackStub): Exchange =>
  async (request) => ({ type: 'answer', retryAfter: '', ...slack.handle(request) })

/** A process of its own: it remembers nothing of others. */
function bot(slack: SlackStub, { channel = "'#ops'", more = '' } = {}) {
  const lines = `${LINES}\nchannel: ${channel}\n${more}`
  return createSender(channelOf(lines, { TOKEN }), exchangeWith(slack))
}

const reminder = alertOf({ alert_id: 'a1-again', previous_state: 'firing', reason: 'reminder' })
const textsOf = ({ messages }: SlackStub) => messages.map(({ text }) => text.split(' – ')[0])

describe('A bot of Slack’s', () => {
  test('posts a message with blocks, and the id as metadata', async () => {
    const exchange = scriptedExchange(answerOf(200, { ok: true, ts: '1.2', channel: OPS }))
    const channel = channelOf(`${LINES}\nchannel: ${OPS}`, { TOKEN })
    const sender = createSender(channel, exchange)
    expect(await sender.send(alertOf(), firstTry())).toEqual(delivered)
    expect(sender.dedupKey(alertOf())).toBe('a1')
    const [request, ...more] = exchange.requests
    expect(more).toEqual([])
    expect(request).toMatchObject({
      method: 'POST',
      url: `${API_URL}/chat.postMessage`,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json; charset=utf-8',
      },
    })
    expect(JSON.parse(request?.body ?? '')).toEqual({
      channel: OPS,
      ...slackMessage(alertOf()),
      metadata: {
        event_type: 'spanmeter_alert',
        event_payload: { alert_id: 'a1', incident_id: 'i1' },
      },
      unfurl_links: false,
    })
  })

  test('updates its messages when the incident is resolved, reminders too', async () => {
    const slack = createSlackStub()
    const sender = bot(slack)
    for (const alert of [alertOf(), reminder, resolvedOf()]) {
      expect(await sender.send(alert, firstTry())).toEqual(delivered)
    }
    expect(textsOf(slack)).toEqual(['Resolved: cost-spike 2x', 'Resolved: cost-spike 2x'])
    expect(slack.calls).toEqual([
      'chat.postMessage',
      'chat.postMessage',
      'chat.update',
      'chat.update',
    ])
  })

  test('finds the messages after a restart, on whatever page they are', async () => {
    const slack = createSlackStub()
    const before = bot(slack)
    const others = [1, 2, 3, 4, 5].map((i) => alertOf({ alert_id: `b${i}`, incident_id: `j${i}` }))
    for (const alert of [alertOf(), ...others]) await before.send(alert, firstTry())
    expect(await bot(slack).send(resolvedOf(), firstTry())).toEqual(delivered)
    expect(slack.messages.map(({ updates }) => updates)).toEqual([1, 0, 0, 0, 0, 0])
    expect(slack.messages).toHaveLength(6)
  })

  test('posts a message where there is none to update', async () => {
    const slack = createSlackStub()
    const found = await bot(slack, { channel: OPS }).send(resolvedOf(), firstTry())
    expect(found).toEqual(delivered)
    expect(textsOf(slack)).toEqual(['Resolved: cost-spike 2x'])
    expect(slack.calls).toEqual(['conversations.history', 'chat.postMessage'])
  })

  test('posts a message where none can be updated', async () => {
    const slack = createSlackStub()
    const sender = bot(slack)
    await sender.send(alertOf(), firstTry())
    slack.errors.set('chat.update', 'edit_window_closed')
    expect(await sender.send(resolvedOf(), firstTry())).toEqual(delivered)
    expect(textsOf(slack)).toEqual(['Firing: cost-spike 2x', 'Resolved: cost-spike 2x'])
    const again = await bot(slack).send(resolvedOf(), afterCrash)
    expect([again, slack.messages.length]).toEqual([delivered, 2])
  })

  test.each<[string, Alert]>([
    ['fires', alertOf()],
    ['still fires', reminder],
    ['is resolved, with nothing to update', resolvedOf()],
  ])('looks for a message that may have arrived: an alert that %s', async (_, alert) => {
    const slack = createSlackStub()
    await bot(slack).send(alert, firstTry())
    expect(await bot(slack).send(alert, afterCrash)).toEqual(delivered)
    expect(slack.messages).toHaveLength(1)
    const empty = createSlackStub()
    expect(await bot(empty).send(alert, afterCrash)).toEqual(delivered)
    expect(empty.messages).toHaveLength(1)
  })

  test('updates again what it may have updated', async () => {
    const slack = createSlackStub()
    await bot(slack).send(alertOf(), firstTry())
    await bot(slack).send(resolvedOf(), firstTry())
    expect(await bot(slack).send(resolvedOf(), afterCrash)).toEqual(delivered)
    expect(textsOf(slack)).toEqual(['Resolved: cost-spike 2x'])
  })

  test('that may not look goes by its settings, and says why', async () => {
    const slack = createSlackStub()
    slack.errors.set('conversations.history', 'missing_scope')
    expect(await bot(slack).send(alertOf(), afterCrash)).toMatchObject({
      type: 'failed',
      detail: expect.stringMatching(/^Slack: missing_scope; it may have arrived/),
    })
    expect(slack.messages).toEqual([])
    const resending = bot(slack, { more: 'on_unknown: resend' })
    expect(await resending.send(alertOf(), afterCrash)).toEqual(delivered)
    expect(await bot(slack).send(resolvedOf(), firstTry())).toEqual(delivered)
    expect(slack.messages).toHaveLength(2)
  })

  test('that cannot find its channel by name says so only where it must look', async () => {
    const slack = createSlackStub()
    const sender = bot(slack, { channel: "'#nowhere'" })
    expect(await sender.send(alertOf(), afterCrash)).toMatchObject({
      type: 'failed',
      detail: expect.stringMatching(/^Slack has no channel #nowhere/),
    })
    expect(await sender.send(alertOf(), firstTry())).toEqual({
      type: 'failed',
      status: 200,
      detail: 'Slack: channel_not_found',
    })
  })

  test.each([
    ['ratelimited', { type: 'again', isUnknown: false }],
    ['internal_error', { type: 'again', isUnknown: true }],
    ['fatal_error', { type: 'again', isUnknown: true }],
    ['not_in_channel', { type: 'failed', detail: 'Slack: not_in_channel' }],
    ['invalid_auth', { type: 'failed', detail: 'Slack: invalid_auth' }],
  ])('told %s', async (error, expected) => {
    const slack = createSlackStub()
    slack.errors.set('chat.postMessage', error)
    expect(await bot(slack).send(alertOf(), firstTry())).toMatchObject(expected)
  })

  test('that is told to wait while it looks still does not know', async () => {
    const exchange = scriptedExchange(answerOf(429, '', '30'))
    const channel = channelOf(`${LINES}\nchannel: ${OPS}`, { TOKEN })
    const sent = await createSender(channel, exchange).send(alertOf(), afterCrash)
    expect(sent).toMatchObject({ type: 'again', status: 429, afterMs: 30_000, isUnknown: true })
  })

  test.each([
    [answerOf(500, 'oops'), { type: 'again', status: 500, isUnknown: true }],
    [answerOf(429, '', '30'), { type: 'again', afterMs: 30_000, isUnknown: false }],
    [answerOf(200, '<html>'), { type: 'again', status: 200, isUnknown: true }],
    [answerOf(200, { ok: true }), { type: 'again', status: 200, isUnknown: true }],
    [answerOf(404, `no ${TOKEN}`), { type: 'failed', detail: 'HTTP 404: no ***' }],
  ])('answered %j', async (answer, expected) => {
    const channel = channelOf(`${LINES}\nchannel: ${OPS}`, { TOKEN })
    const sender = createSender(channel, scriptedExchange(answer))
    expect(await sender.send(alertOf(), firstTry())).toMatchObject(expected)
  })
})
