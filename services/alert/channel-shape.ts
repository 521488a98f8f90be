import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isIP } from 'node:net'
import { z } from 'zod'
import { isPublicAddress } from './notify/addresses.ts'
import { templateError } from './notify/body-template.ts'
import { SEVERITIES } from './notify/channel.ts'
import { SAMPLE_VIEWS } from './notify/alert-json.ts'

/** Each has a consumer group, and a place in what readers of deliveries remember. */
const MAX_CHANNELS = 40
const MAX_PATTERNS = 100
const MAX_TEMPLATE = 20_000
/** Headers that say how the request itself is sent, and those that every request has. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'idempotency-key',
  'transfer-encoding',
  'upgrade',
  'x-spanmeter-signature',
])
const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const text = z.string('must be a text').min(1, 'must not be empty')
const pattern = text.max(300)
const patterns = z
  .union([pattern.transform((one) => [one]), z.array(pattern).min(1).max(MAX_PATTERNS)], {
    error: 'must be a pattern, or a list of patterns',
  })
  .default([])
const patternsByName = z.record(pattern, patterns.unwrap()).default({})
const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((given) => given === 'true')
const address = text.refine(isHttp, 'must be an http:// or https:// address')

/** A length of time such as 90s or 2h. */
const duration = (minMs: number, maxMs: number) =>
  z.string().transform((given, context) => {
    const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(given) ?? []
    const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN)
    if (count !== '' && ms >= minMs && ms <= maxMs) return ms
    const message = `must be a time from ${minMs / 1_000}s to ${maxMs / 1_000}s, such as 30s, 10m, 2h or 1d`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const headers = z
  .record(z.string(), text.refine(isHeaderValue, 'has characters that a header cannot have'))
  .superRefine((given, context) => {
    for (const name of Object.keys(given).filter((one) => !isHeaderName(one))) {
      const message = 'is not the name of a header that may be set'
      context.addIssue({ code: 'custom', path: [name], message })
    }
  })
  .default({})

const common = {
  name: text.regex(/^[a-zA-Z0-9][\w-]{0,31}$/, 'must be up to 32 letters, digits, "_" and "-"'),
  severities: z.array(z.enum(SEVERITIES)).default([]),
  rules: patterns,
  labels: patternsByName,
  groups: patternsByName,
  give_up_after: duration(0, 30 * 86_400_000).default(3_600_000),
  max_age: duration(1_000, 365 * 86_400_000).default(86_400_000),
  timeout: duration(1_000, 300_000).default(10_000),
  allow_private: flag.default(false),
}

const slack = z
  .strictObject({
    ...common,
    type: z.literal('slack'),
    token: text.refine(isHeaderValue, 'has characters that a token cannot have').optional(),
    channel: text
      .regex(
        /^(?:#[^\s#]{1,80}|[CGD][A-Z0-9]{6,})$/,
        "must be an id such as C0123456789, or a name such as '#ops', in quotes",
      )
      .optional(),
    api_url: address.optional(),
    url: address.optional(),
    on_unknown: z.enum(['skip', 'resend']).default('skip'),
  })
  .refine(
    ({ token, channel, api_url, url }) =>
      url === undefined
        ? token !== undefined && channel !== undefined
        : token === undefined && channel === undefined && api_url === undefined,
    'needs either token and channel, or url',
  )

const webhook = z.strictObject({
  ...common,
  type: z.literal('webhook'),
  url: address,
  secret: text.optional(),
  headers,
  template: text
    .max(MAX_TEMPLATE)
    .superRefine((given, context) => {
      const error = templateError(given, SAMPLE_VIEWS)
      if (error === undefined) return
      context.addIssue({ code: 'custom', message: `does not make JSON: ${error}` })
    })
    .optional(),
})

const alertmanager = z.strictObject({
  ...common,
  type: z.literal('alertmanager'),
  url: address,
  headers,
  expires_after: duration(60_000, 365 * 86_400_000).default(7 * 86_400_000),
})

const pagerduty = z.strictObject({
  ...common,
  type: z.literal('pagerduty'),
  routing_key: text,
  url: address.optional(),
})

const channel = z
  .discriminatedUnion('type', [slack, webhook, alertmanager, pagerduty], {
    error: 'must have a type: slack, webhook, alertmanager or pagerduty',
  })
  .superRefine((given, context) => {
    if (given.allow_private) return
    const addresses = { url: given.url, api_url: 'api_url' in given ? given.api_url : undefined }
    for (const [name, url] of Object.entries(addresses)) {
      if (url === undefined || !isPrivate(url)) continue
      const message = 'is an address of a private network: allow_private: true would allow it'
      context.addIssue({ code: 'custom', path: [name], message })
    }
  })

/** What a file of channels must look like. */
export const channelFile = z.strictObject({
  channels: z.array(channel).max(MAX_CHANNELS).default([]),
})

function isHttp(given: string): boolean {
  return URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)
}

/** Whether the address itself stands there, and not a name; names are looked up when they are used. */
function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return isIP(host) > 0 && !isPublicAddress(host)
}

function isHeaderName(name: string): boolean {
  try {
    validateHeaderName(name)
    return !OWN_HEADERS.has(name.toLowerCase())
  } catch {
    return false
  }
}

function isHeaderValue(value: string): boolean {
  try {
    validateHeaderValue('x', value)
    return true
  } catch {
    return false
  }
}
