import type { Severity } from '../rule.ts'
import type { Route } from './route.ts'

/** What every channel has, whatever it speaks. */
interface ChannelBase {
  /** Names the consumer group too, so that a channel goes on where it was. */
  readonly name: string
  readonly route: Route
  /** After this long without success a notification is given up. */
  readonly giveUpAfterMs: number
  /** What is older is not told any more. */
  readonly maxAgeMs: number
  /** Longest wait for a connection, and then for the answer. */
  readonly timeoutMs: number
  /** Whether addresses of private networks may be talked to. */
  readonly allowPrivate: boolean
  /** Texts that no log, error or record may show. */
  readonly secrets: readonly string[]
}

/** What to do where a notification may have been sent and the receiver cannot be asked. */
export type OnUnknown = 'skip' | 'resend'

/** A bot that posts messages, finds them again and updates them. */
export interface SlackBotChannel extends ChannelBase {
  readonly type: 'slack'
  readonly token: string
  /** Id of a channel, or its name with a #. */
  readonly conversation: string
  readonly apiUrl: string
  readonly onUnknown: OnUnknown
}

/** An address that takes messages, and cannot be asked for them. */
export interface SlackWebhookChannel extends ChannelBase {
  readonly type: 'slack'
  readonly url: string
  readonly onUnknown: OnUnknown
}

export interface WebhookChannel extends ChannelBase {
  readonly type: 'webhook'
  readonly url: string
  /** Key of the signature; undefined for none. */
  readonly secret: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Mustache template of the body; undefined for the body as docs/notifications.md has it. */
  readonly template: string | undefined
}

export interface AlertmanagerChannel extends ChannelBase {
  readonly type: 'alertmanager'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Alertmanager takes an alert that it hears no more of for resolved after this long. */
  readonly expiresAfterMs: number
}

export interface PagerDutyChannel extends ChannelBase {
  readonly type: 'pagerduty'
  readonly url: string
  readonly routingKey: string
}

/** A place that alerts are told to, as the file of channels says. */
export type Channel =
  | SlackBotChannel
  | SlackWebhookChannel
  | WebhookChannel
  | AlertmanagerChannel
  | PagerDutyChannel

/** All severities, the least first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const satisfies readonly Severity[]
