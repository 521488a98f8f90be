import { expect, test } from 'vitest'
import { createSender } from '../../../services/alert/notify/create-sender.ts'
import { slackMessage } from '../../../services/alert/notify/slack-message.ts'
import { alertOf, answerOf, channelOf, firstTry, resolvedOf, scriptedExchange } from './samples.ts'

const URL = 'https://hooks.slack.example.com/services/T0/B0/s3cr3t'
const LINES = 'type: slack\nurl: ${HOOK}'
const channel = (more = '') => channelOf(`${LINES}\n${more}`, { HOOK: URL })

test('An incoming webhook gets each change as a message', async () => {
  const exchange = scriptedExchange(answerOf(200, 'ok'))
  const sender = createSender(channel(), exchange)
  for (const alert of [alertOf(), resolvedOf()]) {
    expect(await sender.send(alert, firstTry())).toEqual({ type: 'delivered', status: 200 })
    expect(sender.dedupKey(alert)).toBe('')
  }
  expect(exchange.requests.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
    [URL, slackMessage(alertOf())],
    [URL, slackMessage(resolvedOf())],
  ])
})

test('What may have arrived is not sent again', async () => {
  const exchange = scriptedExchange()
  const sent = await createSender(channel(), exchange).send(
    alertOf(),
    firstTry({ mayHaveArrived: true }),
  )
  expect(sent).toMatchObject({ type: 'failed', detail: expect.stringMatching(/may have arrived/) })
  expect(exchange.requests).toEqual([])
})

test('What may have arrived is sent again where the channel says so', async () => {
  const exchange = scriptedExchange()
  const sender = createSender(channel('on_unknown: resend'), exchange)
  const sent = await sender.send(alertOf(), firstTry({ mayHaveArrived: true }))
  expect(sent).toEqual({ type: 'delivered', status: 200 })
  expect(exchange.requests).toHaveLength(1)
})

test('Its address is a secret', async () => {
  const exchange = scriptedExchange(answerOf(404, `no ${URL}, no /services/T0/B0/s3cr3t`))
  const sent = await createSender(channel(), exchange).send(alertOf(), firstTry())
  expect(sent).toEqual({ type: 'failed', status: 404, detail: 'HTTP 404: no ***, no ***' })
})
