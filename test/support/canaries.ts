import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { otlpRequest, SPAN_ID, TRACE_ID } from './otlp-proto.ts'

/** Personal data and secrets that stand in no place but where a test put them. */

/** Data that is the same wherever it stands. */
const FIXED = {
  card: '5555555555554444',
  grouped: '5105 1051 0510 5100',
  iban: 'GB29NWBK60161331926819',
  id: '52998224725',
  phone: '+49 171 5550199',
  address: '203.0.113.77',
  key: 'sk-proj-canaryCANARY0123456789',
  token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl',
} as const
const MARKER = /zq\d{4}q/g

/** Makes e-mail addresses, each its own, and remembers them. */
export class Canaries {
  readonly markers = new Set<string>()

  /** An address that nobody has had before. */
  email(): string {
    const marker = `zq${String(this.markers.size).padStart(4, '0')}q`
    this.markers.add(marker)
    return `${marker}@example.com`
  }

  /** A text with an address and one of each kind. */
  prose(): string {
    return `Dear ${this.email()}, ${Object.values(FIXED).join(' and ')}.`
  }

  /** What is found of them in some bytes. */
  find(bytes: Buffer): ReadonlySet<string> {
    const text = bytes.toString('latin1')
    const fixed = Object.values(FIXED).filter((value) => text.includes(value))
    return new Set([...(text.match(MARKER) ?? []), ...fixed])
  }

  /** What is found of them in all files of a folder whose path is not left out. */
  findInFiles(folder: string, leaveOut: RegExp): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, readonly string[]>()
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (!entry.isFile() || leaveOut.test(path)) continue
      const here = this.find(readFileSync(path))
      if (here.size > 0) found.set(path, [...here])
    }
    return found
  }
}

/** A request (protobuf) with a canary in every place of a span; a broken one is refused. */
export function canaryProto(canaries: Canaries, start: bigint, isBroken: boolean): Buffer {
  const attributes = () =>
    [
      ['note', canaries.email()],
      [`key ${canaries.email()}`, 'x'],
      ['list', { array: ['a', canaries.email(), { map: [['x', canaries.email()]] }] }],
      ['bytes', 7],
      ['card', 5_555_555_555_554_444],
    ] as const
  return otlpRequest({
    resource: [['service.name', canaries.email()], ...attributes()],
    scope: { name: canaries.email(), version: canaries.email() },
    spans: [
      {
        traceId: isBroken ? TRACE_ID.subarray(1) : TRACE_ID,
        start,
        end: start + 1_000_000n,
        name: canaries.email(),
        traceState: `a=${canaries.email()}`,
        status: { code: 2, message: canaries.prose() },
        attributes: [
          ...attributes(),
          ...FIELDS.map((key) => [key, canaries.email()] as const),
          ['gen_ai.input.messages', JSON.stringify([{ content: `hi\n${canaries.prose()}` }])],
          ['gen_ai.output.messages', canaries.prose()],
          ['gen_ai.system_instructions', canaries.prose()],
          ['long', `${'long '.repeat(600)}${canaries.prose()}`],
        ],
        events: [
          { name: canaries.email(), attributes: attributes() },
          { name: 'exception', attributes: [['exception.message', canaries.prose()]] },
          { name: 'gen_ai.user.message', attributes: [['content', canaries.prose()]] },
          {
            name: 'gen_ai.evaluation.result',
            attributes: [
              ['gen_ai.evaluation.name', 'judge'],
              ['gen_ai.evaluation.score.value', 1],
              ['gen_ai.evaluation.explanation', canaries.prose()],
            ],
          },
        ],
        links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: attributes() }],
      },
    ],
  })
}

/** Attributes that fill fields of a span. */
const FIELDS = [
  'tenant.id',
  'team',
  'feature',
  'deployment.environment.name',
  'cost_centre',
  'user.tier',
  'user.id',
  'enduser.id',
  'session.id',
  'request.id',
  'gen_ai.response.id',
  'gen_ai.prompt.name',
  'gen_ai.prompt.version',
  'experiment',
  'variant',
  'domain',
  'http.route',
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'gen_ai.agent.name',
  'gen_ai.tool.name',
  'error.type',
]

const text = (stringValue: string) => ({ stringValue })

/** The same in OTLP/JSON, with an address that JSON writes by an escape. */
export function canaryJson(canaries: Canaries, start: bigint, isBroken: boolean): Buffer {
  const span = {
    traceId: isBroken ? 'zz' : TRACE_ID.toString('hex'),
    spanId: SPAN_ID.toString('hex'),
    name: canaries.email(),
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 1n),
    status: { code: 2, message: canaries.prose() },
    attributes: [
      { key: 'note', value: text(canaries.prose()) },
      { key: 'card', value: { intValue: 5_555_555_555_554_444 } },
      { key: canaries.email(), value: text('x') },
    ],
    events: [{ name: canaries.email(), timeUnixNano: String(start) }],
  }
  const resource = { attributes: [{ key: 'service.name', value: text(canaries.email()) }] }
  const scope = { name: canaries.email() }
  const request = { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [span] }] }] }
  return Buffer.from(JSON.stringify(request).replaceAll('@', '\\u0040'))
}

/** Scores with canaries: one that is taken in, and one that is not. */
export function canaryScores(canaries: Canaries): Buffer {
  const good = {
    evaluation_id: canaries.email(),
    request_id: canaries.email(),
    evaluator: canaries.email(),
    score: 1,
    label: canaries.email(),
    explanation: canaries.prose(),
    user: canaries.email(),
    tenant: canaries.email(),
  }
  const bad = { ...good, explanation: canaries.prose(), score: 7 }
  const odd = { [`field ${canaries.email()}`]: canaries.prose() }
  return Buffer.from(JSON.stringify([good, bad, odd]))
}
