import { SpanKind, SpanStatusCode, TraceFlags, type Attributes } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { between, createRandom, hexDigits, type Random } from '../services/cli/replay/random.ts'
import { parseConfig } from '../services/ingest/config.ts'
import { compilePolicies } from '../services/ingest/redact/policy-file.ts'
import { createRedactor } from '../services/ingest/redact/redactor.ts'
import { createTranscoder, type Transcode } from '../services/ingest/transcode.ts'
import { spread } from './stats.ts'
import { makeCall, makeCaller } from './workload.ts'

/** What transcoding takes for each span, by what its requests hold and by the policy. */
export interface RedactionReport {
  readonly spans: number
  readonly runs: number
  readonly rows: readonly RedactionRow[]
}

interface RedactionRow {
  readonly workload: string
  readonly policy: string
  /** Microseconds of CPU for each span. */
  readonly spanUs: number
}

interface Options {
  readonly spans: number
  readonly runs: number
  readonly seed: number
}

const SPANS_PER_REQUEST = 100
const WORDS =
  'the invoice of last month shows a charge that we did not expect please explain each line'.split(
    ' ',
  )
const MAIL = 'bob.smith@example.com'
const KEY = 'only for measuring, not a secret'
const START_MS = 1_767_323_046_000

/** Texts of prompts: their words, and what is hidden among them. */
const WORKLOADS: Readonly<Record<string, { readonly words: number; readonly hit: string }>> = {
  '26 attributes': { words: 0, hit: '' },
  '26 attributes, an e-mail address in one': { words: 0, hit: MAIL },
  '26 attributes, 4 KB of content': { words: 700, hit: '' },
  '26 attributes, 4 KB of content with an e-mail address': { words: 700, hit: MAIL },
}
const POLICIES: Readonly<Record<string, string | undefined>> = {
  'no redaction': undefined,
  'all detectors': '',
  'all detectors, users hashed': 'default: { user: hash }',
}

/** Measures by CPU time, so that other processes of the machine hardly matter; the policies take turns. */
export function runRedactionBench({ spans, runs, seed }: Options): RedactionReport {
  const rows = Object.entries(WORKLOADS).flatMap(([workload, content]) => {
    const requests = makeRequests(createRandom([seed, content.words, 0]), spans, content)
    const times = new Map<string, number[]>()
    // The first run is there to warm up.
    for (let run = -1; run < runs; run++) {
      for (const [policy, file] of Object.entries(POLICIES)) {
        const spanUs = measure(createTranscode(file), requests) / spans
        if (run >= 0) times.set(policy, [...(times.get(policy) ?? []), spanUs])
      }
    }
    return [...times].map(([policy, all]) => ({ workload, policy, spanUs: spread(all).median }))
  })
  return { spans, runs, rows }
}

/** The report for a person. */
export function formatRedactionReport({ spans, runs, rows }: RedactionReport): string {
  const width = Math.max(...rows.map(({ workload }) => workload.length))
  const lines = rows.map(
    ({ workload, policy, spanUs }) =>
      `${workload.padEnd(width)}  ${policy.padEnd(28)}${spanUs.toFixed(2).padStart(8)} µs`,
  )
  return [`CPU of transcoding one span; ${spans} spans, median of ${runs} runs.`, ...lines].join(
    '\n',
  )
}

function createTranscode(file: string | undefined): Transcode {
  const { conventions, transcode: limits } = parseConfig({})
  if (file === undefined) return createTranscoder(conventions, limits)
  const policies = compilePolicies(file, 'policy', { key: KEY, userKeys: ['user.id'] })
  return createTranscoder(conventions, limits, { redactor: createRedactor(policies) })
}

function measure(transcode: Transcode, requests: readonly Buffer[]): number {
  const start = process.cpuUsage()
  for (const request of requests) transcode(request, START_MS)
  const { user, system } = process.cpuUsage(start)
  return user + system
}

function makeRequests(
  random: Random,
  spans: number,
  content: { readonly words: number; readonly hit: string },
): readonly Buffer[] {
  const requests: Buffer[] = []
  for (let from = 0; from < spans; from += SPANS_PER_REQUEST) {
    const count = Math.min(SPANS_PER_REQUEST, spans - from)
    const all = Array.from({ length: count }, () => makeSpan(random, content))
    const body = ProtobufTraceSerializer.serializeRequest(all)
    if (body === undefined) throw new Error('The OTLP serializer returned nothing')
    requests.push(Buffer.from(body))
  }
  return requests
}

const RESOURCE = resourceFromAttributes({ 'service.name': 'bench', 'service.version': '1.4.2' })
const SCOPE = { name: 'bench', version: '1.0.0' }

function makeSpan(
  random: Random,
  { words, hit }: { readonly words: number; readonly hit: string },
): ReadableSpan {
  const { attributes } = makeCall(random, makeCaller(random))
  const text = Array.from({ length: words }, () => WORDS[between(random, 0, WORDS.length - 1)])
  text.splice(words / 2, 0, hit)
  const content: Attributes =
    words === 0
      ? { note: hit }
      : { 'gen_ai.input.messages': JSON.stringify([{ role: 'user', content: text.join(' ') }]) }
  return {
    name: 'chat',
    kind: SpanKind.CLIENT,
    spanContext: () => ({
      traceId: hexDigits(random, 32),
      spanId: hexDigits(random, 16),
      traceFlags: TraceFlags.SAMPLED,
    }),
    startTime: [START_MS / 1_000, 0],
    endTime: [START_MS / 1_000 + 1, 0],
    duration: [1, 0],
    status: { code: SpanStatusCode.OK },
    attributes: { ...attributes, ...content },
    links: [],
    events: [],
    ended: true,
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}
