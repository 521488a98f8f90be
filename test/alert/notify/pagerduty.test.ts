import { expect, test } from 'vitest'
import { alertJson } from '../../../services/alert/notify/alert-json.ts'
import { createSender } from '../../../services/alert/notify/create-sender.ts'
import { alertOf, answerOf, channelOf, firstTry, resolvedOf, scriptedExchange } from './samples.ts'

const KEY = 'R0UT1NGKEY'

async function send(alert = alertOf(), status = 202) {
  const exchange = scriptedExchange(answerOf(status, { status: 'x', message: `bad ${KEY}` }))
  const channel = channelOf('type: pagerduty\nrouting_key: ${PD_KEY}', { PD_KEY: KEY })
  const sender = createSender(channel, exchange)
  const sent = await sender.send(alert, firstTry())
  const body: unknown = JSON.parse(exchange.requests[0]?.body ?? '')
  return { sent, body, request: exchange.requests[0], key: sender.dedupKey(alert) }
}

test('A firing alert triggers the incident', async () => {
  const { sent, body, request, key } = await send()
  expect(sent).toEqual({ type: 'delivered', status: 202 })
  expect(request?.url).toBe('https://events.pagerduty.com/v2/enqueue')
  expect(key).toBe('i1')
  expect(body).toEqual({
    routing_key: KEY,
    event_action: 'trigger',
    dedup_key: 'i1',
    payload: {
      summary: 'acme spends <12.35 USD> & more',
      source: 'tenant=acme, model=gpt-4o',
      severity: 'critical',
      timestamp: '2026-03-01T12:00:00.000Z',
      component: 'cost-spike',
      group: 'tenant=acme, model=gpt-4o',
      custom_details: alertJson(alertOf()),
    },
    client: 'Spanmeter',
    client_url: 'https://grafana.example.com/d/cost?from=1&to=2',
    links: [
      { href: 'https://grafana.example.com/d/cost?from=1&to=2', text: 'The graph that burns' },
    ],
  })
})

test('A resolved alert resolves the same incident', async () => {
  const { body } = await send(resolvedOf())
  expect(body).toEqual({ routing_key: KEY, event_action: 'resolve', dedup_key: 'i1' })
})

test('An alert without group, summary and link says its rule, and is not too long', async () => {
  const { body } = await send(alertOf({ group: {}, summary: '', link: '' }))
  expect(body).not.toHaveProperty('links')
  expect(body).not.toHaveProperty('payload.group')
  expect(body).toMatchObject({
    payload: { summary: 'Firing: cost-spike 2x', source: 'cost-spike' },
  })
  const long = await send(alertOf({ summary: 'x'.repeat(2_000), incident_id: 'i'.repeat(300) }))
  expect(long.key).toHaveLength(255)
  expect(JSON.stringify(long.body)).toContain(`"${'x'.repeat(1_023)}…"`)
})

test('A refusal does not show the routing key', async () => {
  const { sent } = await send(alertOf(), 400)
  expect(sent).toEqual({
    type: 'failed',
    status: 400,
    detail: 'HTTP 400: {"status":"x","message":"bad ***"}',
  })
})
