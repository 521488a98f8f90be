import { expect, test } from 'vitest'
import { createSender } from '../../../services/alert/notify/create-sender.ts'
import {
  alertOf,
  answerOf,
  channelOf,
  firstTry,
  NOON_MS,
  resolvedOf,
  scriptedExchange,
} from './samples.ts'

const LINES = 'type: alertmanager\nurl: https://am.example.com/prefix/\nexpires_after: 2d'

async function send(alert = alertOf(), nowMs = NOON_MS + 60_000) {
  const exchange = scriptedExchange()
  const sender = createSender(channelOf(LINES), exchange)
  await sender.send(alert, firstTry({ nowMs }))
  const [request] = exchange.requests
  const body: unknown = JSON.parse(request?.body ?? '')
  return { request, body, key: sender.dedupKey(alert) }
}

const LABELS = {
  team: 'payments',
  tenant: 'acme',
  model: 'gpt-4o',
  alertname: 'cost-spike',
  rule: 'cost-spike',
  level: '2x',
  severity: 'critical',
}

test('A firing alert ends a long time from now', async () => {
  const { request, body } = await send()
  expect(request).toMatchObject({
    method: 'POST',
    url: 'https://am.example.com/prefix/api/v2/alerts',
    headers: { 'content-type': 'application/json' },
  })
  expect(body).toEqual([
    {
      labels: LABELS,
      annotations: {
        summary: 'acme spends <12.35 USD> & more',
        runbook: 'https://example.com/runbook',
      },
      startsAt: '2026-03-01T12:00:00.000Z',
      endsAt: '2026-03-03T12:01:00.000Z',
      generatorURL: 'https://grafana.example.com/d/cost?from=1&to=2',
    },
  ])
})

test('A resolved alert has the same labels and start, and its end', async () => {
  const { body, key } = await send(resolvedOf(), NOON_MS + 11 * 60_000)
  expect(body).toMatchObject([
    { labels: LABELS, startsAt: '2026-03-01T12:00:00.000Z', endsAt: '2026-03-01T12:10:00.000Z' },
  ])
  expect(key).toBe((await send()).key)
  expect(key).toBe(
    '{alertname="cost-spike",level="2x",model="gpt-4o",rule="cost-spike",severity="critical",team="payments",tenant="acme"}',
  )
})

test('A resolved alert never ends in the future, nor before it starts', async () => {
  const { body } = await send(resolvedOf(), NOON_MS - 60_000)
  expect(body).toMatchObject([
    { startsAt: '2026-03-01T11:59:00.000Z', endsAt: '2026-03-01T11:59:00.000Z' },
  ])
})

test('Names are such as Alertmanager takes, and none hides another', async () => {
  const { body } = await send(
    alertOf({
      level: '',
      link: '',
      annotations: {},
      labels: { 'cost-centre': 'x', severity: 'mine', empty: '' },
      group: { rule: 'other', '2nd': 'y' },
    }),
  )
  expect(body).toEqual([
    {
      labels: {
        cost_centre: 'x',
        label_severity: 'mine',
        group_rule: 'other',
        _2nd: 'y',
        alertname: 'cost-spike',
        rule: 'cost-spike',
        severity: 'critical',
      },
      annotations: { summary: 'acme spends <12.35 USD> & more' },
      startsAt: '2026-03-01T12:00:00.000Z',
      endsAt: '2026-03-03T12:01:00.000Z',
    },
  ])
})

test('A refusal is given up, with what Alertmanager said', async () => {
  const sender = createSender(channelOf(LINES), scriptedExchange(answerOf(400, 'bad labels')))
  expect(await sender.send(alertOf(), firstTry())).toEqual({
    type: 'failed',
    status: 400,
    detail: 'HTTP 400: bad labels',
  })
})
