import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseYaml } from '#runtime/yaml.ts'
import { parseDialect } from '../../services/ingest/dialect-file.ts'
import { compileDialects } from '../../services/ingest/dialects.ts'
import { convertJson } from '../ingest/otlp-samples.ts'
import { expectedSpans } from '../support/expected.ts'

/** One call to a model in every dialect that we read: each must come out as the same row. */

const PAGE = readFileSync(new URL('../../docs/dialects.md', import.meta.url), 'utf8')
const DIALECTS = fileURLToPath(new URL('../../services/ingest/dialects/', import.meta.url))
const FOLDER = fileURLToPath(new URL('../ingest/dialects/', import.meta.url))
const START_NANO = BigInt(Date.parse('2026-06-01T12:00:00Z')) * 1_000_000n
const DURATION_MS = 9_000

const values = z.record(z.string(), z.unknown())
const spanFile = z.strictObject({
  name: z.string(),
  kind: z.number().default(1),
  attributes: values,
  events: z
    .array(
      z.strictObject({ name: z.string(), afterMs: z.number(), attributes: values.default({}) }),
    )
    .default([]),
})
const callFile = z.strictObject({
  /** One of calls.yaml. */
  call: z.string(),
  /** Fields that the dialect tells otherwise, or not at all. */
  differs: values.default({}),
  firstToken: z.enum(['seconds', 'milliseconds', 'moment', 'event']).optional(),
  scope: z.strictObject({ name: z.string(), version: z.string().default('') }),
  resource: values.default({}),
  /** The call first, then what stands around it. */
  spans: z.array(spanFile).min(1),
  wrappers: z.array(z.string()).default([]),
})
type CallFile = z.output<typeof callFile>
type SpanFile = z.output<typeof spanFile>
type Input = Pick<CallFile, 'scope' | 'resource' | 'spans'>
type Row = Readonly<Record<string, unknown>>

const readYaml = (name: string): unknown => parseYaml(readFileSync(FOLDER + name, 'utf8'), name)
const calls = z.record(z.string(), values).parse(readYaml('calls.yaml'))
const files = readdirSync(`${FOLDER}calls`).map((name) => ({
  name: name.replace('.yaml', ''),
  file: callFile.parse(readYaml(`calls/${name}`)),
}))

const keyValues = (attributes: Row): unknown =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }))

function anyValue(value: unknown): unknown {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'string') return { stringValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

const nanosAfter = (ms: number): string => String(START_NANO + BigInt(ms) * 1_000_000n)

const otlpSpan = ({ name, kind, attributes, events }: SpanFile, index: number): unknown => ({
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: String(index + 1).padStart(16, '0'),
  name,
  kind,
  startTimeUnixNano: nanosAfter(0),
  endTimeUnixNano: nanosAfter(DURATION_MS),
  attributes: keyValues(attributes),
  events: events.map((event) => ({
    name: event.name,
    timeUnixNano: nanosAfter(event.afterMs),
    attributes: keyValues(event.attributes),
  })),
})

const requestOf = ({ scope, resource, spans }: Input): Buffer =>
  convertJson({
    resourceSpans: [
      {
        resource: { attributes: keyValues(resource) },
        scopeSpans: [{ scope, spans: spans.map(otlpSpan) }],
      },
    ],
  }).proto

/** The rows that ingest and enrich make of each request. */
function rowsOf(inputs: readonly Input[]): readonly (readonly Row[])[] {
  const rows = expectedSpans(inputs.map(requestOf)).map((span): Row => ({ ...span }))
  let at = 0
  return inputs.map(({ spans }) => rows.slice(at, (at += spans.length)))
}

/** The fields of a row that a call names, with whole numbers as a fixture writes them. */
const fieldsOf = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(
    names.map((name) => {
      const value = row[name]
      return [name, typeof value === 'bigint' ? Number(value) : value]
    }),
  )

const rowsOfCalls = rowsOf(files.map(({ file }) => file))
const fixtures = files.map((entry, index) => ({ ...entry, rows: rowsOfCalls[index] ?? [] }))

describe('The same call comes out as the same row', () => {
  test.each(fixtures)('$name', ({ file, rows: [row = {}] }) => {
    const expected: Row = { ...calls[file.call], ...file.differs }
    expect(fieldsOf(row, Object.keys(expected))).toEqual(expected)
    expect(row['price_status']).toBe('priced')
  })

  test.each(fixtures.filter(({ rows }) => rows.length > 1))(
    'and is paid for once: $name',
    ({ file, rows: [, ...around] }) => {
      expect(around.map(({ kind }) => kind)).toEqual(file.wrappers)
      expect(around.every((row) => row['cost_pico_usd'] === null)).toBe(true)
    },
  )

  test('in every dialect and version that docs/dialects.md names', () => {
    const named = [...PAGE.matchAll(/test\/ingest\/dialects\/calls\/([\w.-]+)\.yaml/g)]
    expect(new Set(named.map(([, name]) => name))).toEqual(new Set(files.map(({ name }) => name)))
  })

  test('with the first token told in each of the ways there are', () => {
    const ways = new Set(files.flatMap(({ file }) => file.firstToken ?? []))
    expect(ways).toEqual(new Set(['event', 'milliseconds', 'moment', 'seconds']))
  })
})

const wrapperFile = z.array(
  z.strictObject({ dialect: z.string(), name: z.string(), kind: z.string(), attributes: values }),
)
const wrappers = wrapperFile.parse(readYaml('wrappers.yaml'))
const around = rowsOf(
  wrappers.map(({ name, attributes }) => ({
    scope: { name: '', version: '' },
    resource: {},
    spans: [{ name, kind: 1, attributes, events: [] }],
  })),
)
const MODEL_CALLS = new Set(['llm', 'embedding', 'rerank'])

describe('A span around a call is no call', () => {
  test.each(wrappers.map((wrapper, index) => ({ ...wrapper, row: around[index]?.[0] ?? {} })))(
    '$dialect: $name is of kind $kind',
    ({ kind, row }) => {
      expect(row['kind']).toBe(kind)
      expect(row['price_status'] === 'not_applicable').toBe(!MODEL_CALLS.has(kind))
    },
  )
})

describe('docs/dialects.md', () => {
  test('names each rule that adds to a count, and no other', () => {
    const named = [...PAGE.matchAll(/^\| `([\w-]+\/[\w-]+)`/gm)].map(([, name = '']) => name)
    const rules = readdirSync(DIALECTS).flatMap((file) => {
      const { name, accounting } = parseDialect(readFileSync(DIALECTS + file, 'utf8'), file)
      return accounting
        .filter((rule) => rule.input_excludes.length + rule.output_excludes.length > 0)
        .map(({ rule }) => `${name}/${rule}`)
    })
    const told = named.filter((name) => !name.startsWith('evidence/'))
    expect(new Set(told)).toEqual(new Set(rules))
  })

  test('has an example that is a dialect file', () => {
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(PAGE) ?? []
    const file = parseDialect(example, 'docs/dialects.md')
    expect(compileDialects([file]).presenceKinds).toEqual(['llm'])
  })
})

const OTHERS = new URL('../../../shared/fixtures/', import.meta.url)
const others = (name: string): unknown => JSON.parse(readFileSync(new URL(name, OTHERS), 'utf8'))
const othersRows = (spans: readonly SpanFile[]): readonly Row[] =>
  rowsOf([{ scope: { name: 'others', version: '' }, resource: {}, spans: [...spans] }])[0] ?? []

describe.skipIf(!existsSync(OTHERS))(
  'Payloads of other projects (skipped where they do not lie)',
  () => {
    // One call to GPT-4: 97 tokens in and 52 out, at 30 and 60 USD a million.
    test.each([
      'openinference_client_span_tool_calls',
      'otel_genai_client_span_tool_calls',
      'otel_genai_deprecated_client_span_tool_calls',
    ])('%s is the same call', (name) => {
      const attributes = values.parse(others(`openinference-genai/${name}.json`))
      expect(othersRows([{ name, kind: 3, attributes, events: [] }])).toMatchObject([
        {
          kind: 'llm',
          provider: 'openai',
          request_model: 'gpt-4',
          response_model: 'gpt-4-0613',
          input_tokens: 97n,
          output_tokens: 52n,
          cost_pico_usd: 97n * 30_000_000n + 52n * 60_000_000n,
        },
      ])
    })

    test('AI SDK 6 counts each of its five calls once', () => {
      const captured = z
        .array(z.object({ name: z.string(), attributes: values }))
        .parse(others('openinference-vercel-v6/all-spans.json'))
      const rows = othersRows(captured.map((span) => ({ ...span, kind: 1, events: [] })))
      const paid = rows.filter(({ cost_pico_usd: cost }) => cost !== null)
      // gpt-4o-mini at 0.15 and 0.6 USD a million, text-embedding-3-small at 0.02.
      expect(paid.map(({ name, cost_pico_usd: cost }) => [name, cost])).toEqual([
        ['ai.generateText.doGenerate', 14n * 150_000n + 20n * 600_000n],
        ['ai.generateText.doGenerate', 50n * 150_000n + 9n * 600_000n],
        ['ai.generateObject.doGenerate', 63n * 150_000n + 156n * 600_000n],
        ['ai.streamText.doStream', 15n * 150_000n + 112n * 600_000n],
        ['ai.embed.doEmbed', 10n * 20_000n],
      ])
      expect(paid[3]).toMatchObject({ time_to_first_token_nano: 426_853_500n, streaming: true })
    })
  },
)
