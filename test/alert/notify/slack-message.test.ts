import { expect, test } from 'vitest'
import { slackMessage } from '../../../services/alert/notify/slack-message.ts'
import { alertOf, resolvedOf } from './samples.ts'

test('A firing alert as a message', () => {
  expect(slackMessage(alertOf())).toEqual({
    text: 'Firing: cost-spike 2x – acme spends &lt;12.35 USD&gt; &amp; more',
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: '🔴 Firing: cost-spike 2x', emoji: true },
      },
      {
        type: 'section',
        text: { type: 'mrkdwn', text: 'acme spends &lt;12.35 USD&gt; &amp; more' },
      },
      {
        type: 'section',
        fields: [
          { type: 'mrkdwn', text: '*Value*\n12.35 USD' },
          { type: 'mrkdwn', text: '*Threshold*\n10 USD' },
          { type: 'mrkdwn', text: '*Baseline*\n5 USD' },
          { type: 'mrkdwn', text: '*Records*\n1234' },
          { type: 'mrkdwn', text: '*Severity*\ncritical' },
          { type: 'mrkdwn', text: '*tenant*\nacme' },
          { type: 'mrkdwn', text: '*model*\ngpt-4o' },
        ],
      },
      {
        type: 'section',
        text: { type: 'mrkdwn', text: '*Most of it*\n• model gpt-4o: 12 USD' },
      },
      {
        type: 'context',
        elements: [
          {
            type: 'mrkdwn',
            text: '<https://grafana.example.com/d/cost?from=1&amp;to=2|The graph that burns> · 2026-03-01T11:55:00.000Z – 2026-03-01T12:00:00.000Z · traces `00000000000000000000000000000001`',
          },
        ],
      },
    ],
  })
})

test('A resolved alert, and one that has little to say', () => {
  expect(slackMessage(resolvedOf()).text).toMatch(/^Resolved: cost-spike 2x – /)
  const bare = resolvedOf({
    summary: '',
    group: {},
    contributors: [],
    trace_ids: [],
    link: '',
    value: null,
    threshold: null,
    baseline: null,
    window_end_unix_nano: 0n,
  })
  expect(slackMessage(bare)).toEqual({
    text: 'Resolved: cost-spike 2x',
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: '✅ Resolved: cost-spike 2x', emoji: true },
      },
      {
        type: 'section',
        fields: [
          { type: 'mrkdwn', text: '*Value*\nno data' },
          { type: 'mrkdwn', text: '*Records*\n1234' },
          { type: 'mrkdwn', text: '*Severity*\ncritical' },
        ],
      },
      { type: 'context', elements: [{ type: 'mrkdwn', text: '2026-03-01T12:10:00.000Z' }] },
    ],
  })
})

test('Nothing is longer than Slack takes', () => {
  const long = 'x'.repeat(5_000)
  const dimensions = Array.from({ length: 12 }, (_, i) => [`d${i}`, long] as const)
  const { text, blocks } = slackMessage(
    alertOf({ rule: long, summary: long, group: Object.fromEntries(dimensions) }),
  )
  const [header, summary, fields] = blocks
  expect(text).toHaveLength(3_000)
  expect(header).toMatchObject({ text: { text: expect.stringMatching(/^.{149}…$/) } })
  expect(summary).toMatchObject({ text: { text: expect.stringMatching(/^x{2999}…$/) } })
  expect(fields).toHaveProperty('fields.length', 10)
  expect(fields).toHaveProperty('fields.9.text', expect.stringMatching(/^\*d4\*\nx+…$/))
})
