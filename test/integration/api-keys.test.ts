import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, Metadata, status as GrpcCode } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApiKey, type NewApiKey } from '#runtime/api-key.ts'
import { addKey, expireKey, removeKey } from '../../services/cli/keys/keys-file.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import { type Attributes, otlpRequest } from '../support/otlp-proto.ts'
import { startTestStack, type TestStack, until } from '../support/stack.ts'

/**
 * Goal: with API keys and TLS, every span, score and dead letter lands under the tenant of the key that
 * it was sent with, by each way in and whatever it says of itself; nobody else gets in; keys and
 * certificates change without a restart, and never stand in a log.
 */

const DEADLINE_MS = 60_000
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const PROTO = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }
const START = BigInt(Date.now()) * 1_000_000n
const TENANTS = ['acme', 'globex'] as const
type Tenant = (typeof TENANTS)[number]

const keys: Readonly<Record<Tenant, NewApiKey>> = { acme: createApiKey(), globex: createApiKey() }
const scores = createApiKey()
const stranger = createApiKey()

const folder = mkdtempSync(join(tmpdir(), 'spanmeter-keys-'))
const file = join(folder, 'keys.yaml')
const certFile = join(folder, 'server.crt')
const keyFile = join(folder, 'server.pem')
let ours: Authority
let stack: TestStack

beforeAll(async () => {
  ours = createAuthority(folder, 'ours')
  useCertificateOf(ours)
  for (const tenant of TENANTS) addKey(file, entryOf(keys[tenant], tenant))
  addKey(file, { ...entryOf(scores, 'acme'), scopes: ['evaluations'] })
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: {
      SPANMETER_API_KEYS: file,
      SPANMETER_OTLP_TLS_CERT: certFile,
      SPANMETER_OTLP_TLS_KEY: keyFile,
    },
  })
})
afterAll(async () => {
  await stack?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function entryOf({ id, hash }: NewApiKey, tenant: string) {
  return { id, hash, tenant }
}

function useCertificateOf(authority: Authority): void {
  const server = authority.issue('server')
  copyFileSync(server.certFile, certFile)
  copyFileSync(server.keyFile, keyFile)
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** Posts over TLS; rejects where the server is not who the authority says. */
function post(
  path: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  ca = ours.ca,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const to = { host: '127.0.0.1', port: stack.httpPort, path: `/v1/${path}`, method: 'POST' }
  const sent = request({ ...to, headers, agent: false, ca }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
    })
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

const bearer = ({ key }: NewApiKey) => ({ authorization: `Bearer ${key}` })
const same = (bytes: Buffer) => bytes

async function exportSpans(body: Buffer, headers: Readonly<Record<string, string>>) {
  const channel = credentials.createSsl(Buffer.from(ours.ca))
  const client = new Client(`127.0.0.1:${stack.grpcPort}`, channel)
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const { promise, resolve } = Promise.withResolvers<GrpcCode>()
  client.makeUnaryRequest(EXPORT, same, same, body, metadata, (error) =>
    resolve(error?.code ?? GrpcCode.OK),
  )
  const code = await promise
  client.close()
  return code
}

const otherThan = (tenant: Tenant): Tenant => (tenant === 'acme' ? 'globex' : 'acme')
const idOf = (number: number) => Buffer.from(number.toString(16).padStart(16, '0'), 'hex')

/** A request that says it is of the other tenant, wherever that can be said. */
function forged(tenant: Tenant, way: string, number: number): Buffer {
  const claims: Attributes = [
    ['tenant.id', otherThan(tenant)],
    ['tenant', otherThan(tenant)],
  ]
  const usual = { attributes: claims, start: START, end: START + 5n }
  return otlpRequest({
    resource: claims,
    spans: [
      { ...usual, name: `${tenant} ${way}`, spanId: idOf(number) },
      { ...usual, name: `${tenant} ${way} bad`, spanId: Buffer.alloc(8) },
    ],
  })
}

function forgedJson(tenant: Tenant, number: number): Buffer {
  const attributes = [{ key: 'tenant.id', value: { stringValue: otherThan(tenant) } }]
  const span = {
    traceId: 'ab'.repeat(16),
    spanId: idOf(number).toString('hex'),
    name: `${tenant} json`,
    startTimeUnixNano: String(START),
    endTimeUnixNano: String(START + 5n),
    attributes,
  }
  const scopeSpans = [{ spans: [span, { ...span, spanId: '', name: `${tenant} json bad` }] }]
  return Buffer.from(JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] }))
}

function forgedScores(tenant: Tenant): Buffer {
  const score = { trace_id: 'ab'.repeat(16), evaluator: tenant, score: 0.5 }
  return Buffer.from(
    JSON.stringify([
      { ...score, tenant: otherThan(tenant) },
      { ...score, score: 7 },
    ]),
  )
}

test('Everything lands under the tenant of its key, whatever it says of itself', async () => {
  for (const [i, tenant] of TENANTS.entries()) {
    const own = bearer(keys[tenant])
    const answers = await Promise.all([
      post('traces', forged(tenant, 'proto', 10 + i), { ...PROTO, ...own }),
      post('traces', forgedJson(tenant, 20 + i), { ...JSON_TYPE, 'x-api-key': keys[tenant].key }),
      post('evaluations', forgedScores(tenant), { ...JSON_TYPE, ...own }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await exportSpans(forged(tenant, 'grpc', 30 + i), own)).toBe(GrpcCode.OK)
  }
  const { clickhouse } = stack
  const spans = await until(
    'all spans landed',
    DEADLINE_MS,
    () => clickhouse.query<object>('SELECT tenant, name FROM spans ORDER BY tenant, name'),
    (rows) => rows.length >= 6,
  )
  const ways = ['grpc', 'json', 'proto']
  expect(spans).toEqual(
    TENANTS.flatMap((tenant) => ways.map((way) => ({ tenant, name: `${tenant} ${way}` }))),
  )
  const evaluations = await until(
    'all scores landed',
    DEADLINE_MS,
    () => clickhouse.query<object>('SELECT tenant, evaluator FROM evaluations ORDER BY tenant'),
    (rows) => rows.length >= 2,
  )
  expect(evaluations).toEqual(TENANTS.map((tenant) => ({ tenant, evaluator: tenant })))
})

test('The same bytes of two tenants are two spans', async () => {
  const span = { name: 'twin', spanId: idOf(99), start: START, end: START + 5n }
  const body = otlpRequest({ spans: [span] })
  for (const tenant of [...TENANTS, ...TENANTS]) {
    const answer = await post('traces', body, { ...PROTO, ...bearer(keys[tenant]) })
    expect(answer.status).toBe(200)
  }
  const query = "SELECT tenant FROM spans WHERE name = 'twin' ORDER BY tenant"
  const rows = await until(
    'both landed',
    DEADLINE_MS,
    () => stack.clickhouse.query<object>(query),
    (found) => found.length >= 2,
  )
  expect(rows).toEqual([{ tenant: 'acme' }, { tenant: 'globex' }])
})

test('Dead letters keep the tenant of the key', async () => {
  const rows = await until(
    'all dead letters landed',
    DEADLINE_MS,
    () =>
      stack.clickhouse.query<{ readonly tenant: string; readonly source: string }>(
        'SELECT tenant, source FROM dead_letters ORDER BY tenant, source',
      ),
    (found) => found.length >= 8,
  )
  const sources = ['evaluations_http', 'otlp_grpc', 'otlp_http', 'otlp_http']
  expect(rows).toEqual(TENANTS.flatMap((tenant) => sources.map((source) => ({ tenant, source }))))
})

test('Nobody else gets in, and a scope is a limit', async () => {
  const body = forged('acme', 'stranger', 40)
  const cases = [
    ['traces', {}, 401],
    ['traces', bearer(stranger), 401],
    ['traces', { authorization: `Bearer ${keys.acme.hash}` }, 401],
    ['traces', bearer(scores), 403],
    ['evaluations', {}, 401],
  ] as const
  for (const [path, headers, status] of cases) {
    expect((await post(path, body, { ...JSON_TYPE, ...headers })).status).toBe(status)
  }
  expect(
    (await post('evaluations', forgedScores('acme'), { ...JSON_TYPE, ...bearer(scores) })).status,
  ).toBe(200)
  expect(await exportSpans(body, {})).toBe(GrpcCode.UNAUTHENTICATED)
  expect(await exportSpans(body, bearer(stranger))).toBe(GrpcCode.UNAUTHENTICATED)
  expect(await exportSpans(body, bearer(scores))).toBe(GrpcCode.PERMISSION_DENIED)
})

test('Keys change while it runs, and a file that is wrong changes nothing', async () => {
  const body = otlpRequest({ spans: [{ start: START, end: START + 5n }] })
  const statusOf = async (key: NewApiKey) =>
    (await post('traces', body, { ...PROTO, ...bearer(key) })).status
  const comesTo = (key: NewApiKey, status: number) =>
    until(
      'the keys hold',
      DEADLINE_MS,
      () => statusOf(key),
      (found) => found === status,
    )
  const next = createApiKey()
  addKey(file, entryOf(next, 'acme'))
  expect(await statusOf(next)).toBe(401)
  reload()
  await comesTo(next, 200)
  expect(await statusOf(keys.acme)).toBe(200)
  expireKey(file, keys.acme.id, '2020-01-01')
  reload()
  await comesTo(keys.acme, 401)
  expect(await statusOf(next)).toBe(200)

  const good = readFileSync(file)
  writeFileSync(file, `keys: ${stranger.key}\n`)
  reload()
  await until('the complaint', DEADLINE_MS, log, (text) => text.includes('Rule files are wrong'))
  expect(await statusOf(next)).toBe(200)
  writeFileSync(file, good)
  removeKey(file, next.id)
  reload()
  await comesTo(next, 401)
})

test('Certificates change while it runs', async () => {
  const others = createAuthority(folder, 'others')
  await expect(post('traces', Buffer.alloc(0), PROTO, others.ca)).rejects.toThrow(/certificate/)
  useCertificateOf(others)
  reload()
  const answer = async () => {
    try {
      return (await post('traces', Buffer.alloc(0), PROTO, others.ca)).status
    } catch (error) {
      return String(error)
    }
  }
  await until('the new certificate', DEADLINE_MS, answer, (status) => status === 401)
  await expect(post('traces', Buffer.alloc(0), PROTO)).rejects.toThrow(/certificate/)
})

test('Refusals are counted, and no key stands in metrics or logs', async () => {
  const text = await log()
  const port = /"msg":"Serving \/metrics/.test(text) ? Number(/"port":(\d+)/.exec(text)?.[1]) : 0
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  for (const [via, reason] of [
    ['otlp_http', 'no_key'],
    ['otlp_http', 'unknown_key'],
    ['otlp_http', 'expired_key'],
    ['otlp_http', 'wrong_scope'],
    ['otlp_grpc', 'no_key'],
    ['otlp_grpc', 'wrong_scope'],
    ['evaluations_http', 'no_key'],
  ]) {
    expect(metrics).toMatch(
      new RegExp(`spanmeter_refused_requests_total\\{[^}]*via="${via}",reason="${reason}"`),
    )
  }
  for (const { key } of [...Object.values(keys), scores, stranger]) {
    expect(text + metrics).not.toContain(key.slice(-43))
  }
})

function reload(): void {
  const pid = stack.workers.pid('ingest')
  if (pid === undefined) throw new Error('ingest does not run')
  process.kill(pid, 'SIGHUP')
}

async function log(): Promise<string> {
  return readFileSync(join(stack.logDir, 'ingest.log'), 'utf8')
}
