import type { z } from 'zod'
import type { Env } from '#runtime/config.ts'
import { readYamlTexts } from '#runtime/yaml.ts'
import { channelFile } from './channel-shape.ts'
import type { Channel } from './notify/channel.ts'

export type { Channel } from './notify/channel.ts'

/** Fields whose text may name variables of the environment: ${NAME}. */
const EXPANDED = new Set(['url', 'api_url', 'token', 'secret', 'routing_key', 'headers'])
const SECRET_FIELDS = new Set(['token', 'secret', 'routing_key', 'headers'])
/** Stands for what the environment does not have, in the check of everything else. */
const STAND_IN = 'http://missing'
const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue'
const SLACK_API_URL = 'https://slack.com/api'

/** What is wrong, and where; no value of the file stands in it, as it may be a secret. */
interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/**
 * Reads a file of channels, see docs/notifications.md; `${NAME}` in an address or a secret is a
 * variable of the environment. Throws an Error that names the file and every place that is wrong.
 */
export function parseChannels(text: string, file: string, env: Env): readonly Channel[] {
  const document = readYamlTexts(text, file, { hidesText: true })
  const issues: Issue[] = []
  const secrets = new Map<number, string[]>()
  const content = expand(document.value ?? {}, env, issues, secrets)
  const result = channelFile.safeParse(content)
  issues.push(...(result.error?.issues ?? []))
  if (issues.length === 0 && result.success) {
    const { channels } = result.data
    issues.push(...repeatedNames(channels))
    if (issues.length === 0) {
      return channels.map((channel, i) => toChannel(channel, secrets.get(i) ?? []))
    }
  }
  const places = issues.map(({ path, message }) => {
    const line = document.lineOf(path)
    const start = line === undefined ? '' : `line ${line}, `
    return `  ${start}${path.join('.')}: ${message}`
  })
  throw new Error(`${file} does not hold channels:\n${places.join('\n')}`)
}

/** Puts the environment's values in, and notes by channel what must not be shown. */
function expand(
  content: unknown,
  env: Env,
  issues: Issue[],
  secrets: Map<number, string[]>,
): unknown {
  if (!isMap(content) || !Array.isArray(content['channels'])) return content
  const channels = content['channels'].map((channel: unknown, i) => {
    if (!isMap(channel)) return channel
    const hidden: string[] = []
    secrets.set(i, hidden)
    const fields = Object.entries(channel).map(([name, value]) => {
      if (!EXPANDED.has(name)) return [name, value]
      const path = ['channels', i, name]
      const expanded = expandIn(value, path, { env, issues, hidden })
      if (SECRET_FIELDS.has(name)) hidden.push(...textsIn(expanded))
      return [name, expanded]
    })
    return Object.fromEntries(fields)
  })
  return { ...content, channels }
}

interface Expansion {
  readonly env: Env
  readonly issues: Issue[]
  readonly hidden: string[]
}

function expandIn(value: unknown, path: readonly PropertyKey[], expansion: Expansion): unknown {
  if (isMap(value)) {
    const fields = Object.entries(value).map(([name, text]) => [
      name,
      expandIn(text, [...path, name], expansion),
    ])
    return Object.fromEntries(fields)
  }
  if (typeof value !== 'string') return value
  const { env, issues, hidden } = expansion
  return value.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
    const found = env[name]?.trim() ?? ''
    if (found === '') issues.push({ path, message: `the environment has no ${name}` })
    else hidden.push(found)
    // The place is complained of once: what stands there instead is right everywhere.
    return found === '' ? STAND_IN : found
  })
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return isMap(value) ? Object.values(value).filter((text) => typeof text === 'string') : []
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function repeatedNames(channels: readonly { readonly name: string }[]): readonly Issue[] {
  const names = channels.map(({ name }) => name)
  return names.flatMap((name, i) =>
    names.indexOf(name) === i
      ? []
      : [{ path: ['channels', i, 'name'], message: `there is a channel ${name} already` }],
  )
}

type Given = z.output<typeof channelFile>['channels'][number]

function toChannel(given: Given, hidden: readonly string[]): Channel {
  const { name, severities, rules, labels, groups } = given
  const base = {
    name,
    route: { severities, rules, labels, groups },
    giveUpAfterMs: given.give_up_after,
    maxAgeMs: given.max_age,
    timeoutMs: given.timeout,
    allowPrivate: given.allow_private,
    secrets: [...hidden, ...secretsOf(given.url)],
  }
  if (given.type === 'webhook') {
    const { type, url, secret, headers, template } = given
    return { ...base, type, url, secret, headers, template }
  }
  if (given.type === 'alertmanager') {
    const { type, url, headers, expires_after: expiresAfterMs } = given
    return { ...base, type, url, headers, expiresAfterMs }
  }
  if (given.type === 'pagerduty') {
    const { type, url = PAGERDUTY_URL, routing_key: routingKey } = given
    return { ...base, type, url, routingKey }
  }
  const { type, url, token = '', channel: conversation = '', on_unknown: onUnknown } = given
  if (url !== undefined) return { ...base, type, url, onUnknown }
  const { api_url: apiUrl = SLACK_API_URL } = given
  return { ...base, type, token, conversation, apiUrl, onUnknown }
}

/** The parts of an address that let people in. */
function secretsOf(url: string | undefined): readonly string[] {
  if (url === undefined) return []
  const { username, password, pathname, search } = new URL(url)
  return [decodeURIComponent(username), decodeURIComponent(password), pathname + search, search]
}
