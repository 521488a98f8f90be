import { describe, expect, test } from 'vitest'
import { parseChannels } from '../../services/alert/channel-file.ts'

const ENV = {
  SLACK_TOKEN: 'xoxb-t0k3n',
  HOOK_SECRET: 's3cr3t',
  PD_KEY: 'r0ut1ng',
  HOOK: 'https://hooks.slack.example.com/services/T/B/x',
}
const parse = (text: string, env: Readonly<Record<string, string>> = ENV) =>
  parseChannels(text, 'channels.yaml', env)

const WHOLE = `
channels:
  - name: ops-slack
    type: slack
    token: \${SLACK_TOKEN}
    channel: '#ops'
    severities: [warning, critical]
    rules: [budget/*, cost-spike]
    labels: { team: payments }
    groups: { tenant: [acme, 'beta-*'] }
    give_up_after: 2h
    max_age: 1d
    timeout: 5s
  - name: chat
    type: slack
    url: \${HOOK}
    on_unknown: resend
  - name: hook
    type: webhook
    url: https://example.com/hook?key=\${PD_KEY}
    secret: \${HOOK_SECRET}
    headers: { Authorization: 'Bearer \${HOOK_SECRET}' }
    template: '{"text": "{{summary}}"}'
  - name: am
    type: alertmanager
    url: http://127.0.0.1:9093
    allow_private: true
  - name: pager
    type: pagerduty
    routing_key: \${PD_KEY}
`
const EVERYTHING = { severities: [], rules: [], labels: {}, groups: {} }
const DEFAULTS = {
  route: EVERYTHING,
  giveUpAfterMs: 3_600_000,
  maxAgeMs: 86_400_000,
  timeoutMs: 10_000,
  allowPrivate: false,
}

describe('A file of channels', () => {
  test('is read whole', () => {
    const channels = parse(WHOLE).map(({ secrets: _secrets, ...rest }) => rest)
    expect(channels).toEqual([
      {
        name: 'ops-slack',
        type: 'slack',
        token: 'xoxb-t0k3n',
        conversation: '#ops',
        apiUrl: 'https://slack.com/api',
        onUnknown: 'skip',
        route: {
          severities: ['warning', 'critical'],
          rules: ['budget/*', 'cost-spike'],
          labels: { team: ['payments'] },
          groups: { tenant: ['acme', 'beta-*'] },
        },
        giveUpAfterMs: 7_200_000,
        maxAgeMs: 86_400_000,
        timeoutMs: 5_000,
        allowPrivate: false,
      },
      { ...DEFAULTS, name: 'chat', type: 'slack', url: ENV.HOOK, onUnknown: 'resend' },
      {
        ...DEFAULTS,
        name: 'hook',
        type: 'webhook',
        url: 'https://example.com/hook?key=r0ut1ng',
        secret: 's3cr3t',
        headers: { Authorization: 'Bearer s3cr3t' },
        template: '{"text": "{{summary}}"}',
      },
      {
        ...DEFAULTS,
        name: 'am',
        type: 'alertmanager',
        url: 'http://127.0.0.1:9093',
        headers: {},
        expiresAfterMs: 604_800_000,
        allowPrivate: true,
      },
      {
        ...DEFAULTS,
        name: 'pager',
        type: 'pagerduty',
        url: 'https://events.pagerduty.com/v2/enqueue',
        routingKey: 'r0ut1ng',
      },
    ])
  })

  test('knows its secrets, and the parts of addresses that let people in', () => {
    const secrets = parse(WHOLE).map((channel) => channel.secrets)
    expect(secrets).toEqual([
      expect.arrayContaining(['xoxb-t0k3n']),
      expect.arrayContaining([ENV.HOOK, '/services/T/B/x']),
      expect.arrayContaining(['s3cr3t', 'Bearer s3cr3t', 'r0ut1ng', '/hook?key=r0ut1ng']),
      expect.any(Array),
      expect.arrayContaining(['r0ut1ng']),
    ])
    const [plain] = parse(
      'channels: [{ name: a, type: webhook, url: "https://u%40x:pw12@b.com/" }]',
    )
    expect(plain?.secrets).toEqual(expect.arrayContaining(['u@x', 'pw12']))
  })

  test('may hold none', () => {
    expect([parse(''), parse('channels: []')]).toEqual([[], []])
  })
})

const one = (fields: string) => `channels:\n  - name: a\n    ${fields.split('\n').join('\n    ')}\n`
const hook = 'type: webhook\nurl: https://example.com'

test.each([
  [
    'a type that there is not',
    one('type: fax'),
    'line 3, channels.0.type: must have a type: slack,',
  ],
  ['no type', one('url: https://example.com'), 'line 2, channels.0.type: must have a type'],
  [
    'a field that there is not',
    one(`${hook}\ntokn: x`),
    'line 2, channels.0: Unrecognized key: "tokn"',
  ],
  ['a field of another type', one(`${hook}\nchannel: x`), 'Unrecognized key: "channel"'],
  ['no address', one('type: webhook'), 'line 2, channels.0.url: must be a text'],
  ['no http', one('type: webhook\nurl: ftp://x'), 'line 4, channels.0.url: must be an http'],
  [
    'a bad name',
    'channels: [{ name: "a b", type: webhook, url: "https://b.c" }]',
    'line 1, channels.0.name: must be up to 32',
  ],
  ['a severity', one(`${hook}\nseverities: [bad]`), 'line 5, channels.0.severities.0: '],
  [
    'a time',
    one(`${hook}\ngive_up_after: 1 hour`),
    'line 5, channels.0.give_up_after: must be a time from 0s to 2592000s',
  ],
  [
    'a time that is too long',
    one(`${hook}\ntimeout: 1h`),
    'channels.0.timeout: must be a time from 1s to 300s',
  ],
  [
    'a flag',
    one(`${hook}\nallow_private: yes`),
    'line 5, channels.0.allow_private: must be true or false',
  ],
  ['a pattern', one(`${hook}\nlabels: { team: [] }`), 'line 5, channels.0.labels.team: Too small'],
  [
    'a header of the connection',
    one(`${hook}\nheaders: { Host: x }`),
    'channels.0.headers.Host: is not the name of a header',
  ],
  ['a header that is none', one(`${hook}\nheaders: { "a b": x }`), 'is not the name of a header'],
  [
    'a value that is none',
    one(`${hook}\nheaders: { a: "x\\ny" }`),
    'line 5, channels.0.headers.a: has characters',
  ],
  [
    'a template',
    one(`${hook}\ntemplate: '{{rule}'`),
    'channels.0.template: does not make JSON: Unclosed tag',
  ],
  ['a template without JSON', one(`${hook}\ntemplate: '{"v": {{value}}}'`), 'does not make JSON'],
  [
    'neither token nor url',
    one('type: slack'),
    'line 2, channels.0: needs either token and channel, or url',
  ],
  [
    'both token and url',
    one('type: slack\ntoken: x\nchannel: "#a"\nurl: https://a.b'),
    'needs either',
  ],
  ['a comment for a channel', one('type: slack\ntoken: x\nchannel: #ops'), 'in quotes'],
  [
    'a private address',
    one('type: webhook\nurl: http://10.0.0.1/x'),
    'line 4, channels.0.url: is an address of a private network',
  ],
  [
    'a private address in other figures',
    one('type: webhook\nurl: http://2130706433/'),
    'is an address of a private network',
  ],
  [
    'a private address of Slack',
    one('type: slack\ntoken: x\nchannel: "#a"\napi_url: http://[::1]/'),
    'channels.0.api_url: is an address',
  ],
  [
    'a name twice',
    `${one(hook)}  - { name: a, type: webhook, url: "https://b.c" }`,
    'line 5, channels.1.name: there is a channel a already',
  ],
  [
    'a variable that is not set',
    one(`${hook}\nsecret: \${NOT_SET}`),
    'line 5, channels.0.secret: the environment has no NOT_SET',
  ],
  [
    'a variable that is empty',
    one('type: webhook\nurl: ${EMPTY}'),
    'line 4, channels.0.url: the environment has no EMPTY',
  ],
  [
    'a variable within a header',
    one(`${hook}\nheaders: { a: "b \${NOT_SET}" }`),
    'channels.0.headers.a: the environment has no NOT_SET',
  ],
  ['a list', '- a', 'Invalid input: expected object'],
  ['channels that are no list', 'channels: {}', 'line 1, channels: Invalid input'],
  ['another field', 'channels: []\nchannel: []', 'line 1, : Unrecognized key: "channel"'],
])('%s is refused', (_, text, message) => {
  expect(() => parse(text, { ...ENV, EMPTY: ' ' })).toThrow(message)
  expect(() => parse(text)).toThrow(/^channels\.yaml does not hold channels:\n/)
})

test('All that is wrong is said at once', () => {
  const text = one('type: pagerduty\nrouting_key: ${A}\nurl: ${B}\ntimeout: x')
  expect(() => parse(text, {})).toThrow(
    [
      'channels.yaml does not hold channels:',
      '  line 4, channels.0.routing_key: the environment has no A',
      '  line 5, channels.0.url: the environment has no B',
      '  line 6, channels.0.timeout: must be a time from 1s to 300s, such as 30s, 10m, 2h or 1d',
    ].join('\n'),
  )
})

test('What is no YAML is told by its line', () => {
  expect(() => parse('channels:\n  - name: a\n   type: b')).toThrow(
    /^channels\.yaml is not YAML: line \d, [a-z ]+$/,
  )
})

test.each([
  'channels:\n  - name: a\n    token: LITERAL\n   x: LITERAL',
  'channels: [{ token: "LITERAL, name: LITERAL',
  one('type: slack\ntoken: *LITERAL'),
  one('type: webhook\nurl: LITERAL'),
  one(`${hook}\nsecret: [LITERAL]`),
  one(`${hook}\nheaders: LITERAL`),
  one(`${hook}\nheaders: { a: "LITERAL\\n" }`),
  one('type: slack\ntoken: "LITERAL\\n"\nchannel: "#a"'),
  one('type: slack\ntoken: LITERAL\nchannel: LITERAL'),
  one('type: LITERAL'),
  one(`type: webhook\nurl: http://10.0.0.1/\${LITERAL_ENV}`),
  one(`${hook}\nallow_private: LITERAL`),
  one(`${hook}\nseverities: LITERAL`),
])('No value stands in an error: %j', (text) => {
  let message = ''
  try {
    parse(text, { LITERAL_ENV: 'LITERAL' })
  } catch (error) {
    message = String(error)
  }
  expect(message).toMatch(/channels\.yaml (?:is not YAML|does not hold channels)/)
  expect(message.replaceAll('LITERAL_ENV', '')).not.toContain('LITERAL')
})

test('More channels than there is room for are refused', () => {
  const many = Array.from(
    { length: 41 },
    (_, i) => `  - { name: c${i}, type: webhook, url: "https://b.c" }`,
  )
  expect(() => parse(`channels:\n${many.join('\n')}`)).toThrow('expected array to have <=40 items')
})
