import type { Alert } from '#schemas/items.ts'
import { formatValue } from '../units-text.ts'
import { cut, evidenceOf, isoTime, titleOf } from './alert-text.ts'

/** Longest texts and lists that Slack takes in a block. */
const MAX_HEADER = 150
const MAX_SECTION = 3_000
const MAX_FIELD = 2_000
const MAX_FIELDS = 10
const MAX_TRACES = 3

const SIGNS: Readonly<Record<Alert['severity'], string>> = {
  info: '🔵',
  warning: '🟠',
  critical: '🔴',
}

/** Text for notifications, and the blocks that are shown. */
export interface SlackMessage {
  readonly text: string
  readonly blocks: readonly Readonly<Record<string, unknown>>[]
}

/** An alert as a message of Slack. */
export function slackMessage(alert: Alert): SlackMessage {
  const sign = alert.state === 'resolved' ? '✅' : SIGNS[alert.severity]
  const title = titleOf(alert)
  const { summary } = alert
  return {
    text: cut(escape(summary === '' ? title : `${title} – ${summary}`), MAX_SECTION),
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: cut(`${sign} ${title}`, MAX_HEADER), emoji: true },
      },
      ...(summary === '' ? [] : [section(escape(summary))]),
      { type: 'section', fields: fieldsOf(alert) },
      ...contributorsOf(alert).map(section),
      { type: 'context', elements: [mrkdwn(contextOf(alert), MAX_FIELD)] },
    ],
  }
}

function section(text: string) {
  return { type: 'section', text: mrkdwn(text, MAX_SECTION) }
}

function mrkdwn(text: string, maxLength: number) {
  return { type: 'mrkdwn', text: cut(text, maxLength) }
}

function fieldsOf(alert: Alert) {
  return [...evidenceOf(alert), ['Severity', alert.severity], ...Object.entries(alert.group)]
    .slice(0, MAX_FIELDS)
    .map(([name = '', text = '']) => mrkdwn(`*${escape(name)}*\n${escape(text)}`, MAX_FIELD))
}

/** One text, or none. */
function contributorsOf({ contributors, unit }: Alert): readonly string[] {
  if (contributors.length === 0) return []
  const lines = contributors.map(
    ({ dimension, name, value }) =>
      `• ${escape(dimension)} ${escape(name)}: ${formatValue(value, unit)}`,
  )
  return [['*Most of it*', ...lines].join('\n')]
}

function contextOf(alert: Alert): string {
  const { window_start_unix_nano: start, window_end_unix_nano: end, link } = alert
  const traces = alert.trace_ids.slice(0, MAX_TRACES).map((id) => `\`${escape(id)}\``)
  return [
    ...(link === '' ? [] : [`<${escape(link)}|The graph that burns>`]),
    end === 0n ? isoTime(alert.time_unix_nano) : `${isoTime(start)} – ${isoTime(end)}`,
    ...(traces.length === 0 ? [] : [`traces ${traces.join(' ')}`]),
  ].join(' · ')
}

/** Characters that mean something in Slack's mrkdwn. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
