import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import kafkajs, { type AclEntry } from 'kafkajs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { deadLetters, enrichedSpans, otlpSpans, spans } from '#schemas/topics.ts'
import {
  KAFKA_ROLES,
  type KafkaAcl,
  kafkaAcls,
  type KafkaRole,
} from '../../services/cli/access/kafka-acls.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { startWorkers, WORKERS, type Workers } from '../../services/cli/workers.ts'
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { sampleRequests } from '../support/sample.ts'
import { type SecureKafka, startSecureKafka } from '../support/secure-kafka.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'

/**
 * Goal: the pipeline runs over TLS, each worker as a user of its own that may do what `spanmeter
 * access kafka` says and no more. Method: a real broker with users and an authorizer, and a real
 * ClickHouse behind an end of TLS (the embedded one speaks none itself).
 */

const PREFIX = 'sec.'
const DEADLINE_MS = 60_000
const DATABASE = 'encryption'
const rules = `
rules:
  - name: any
    metric: count
    window: 1m
    condition: { above: 0 }
    no_data: keep
`

let folder: string
let authority: Authority
let stranger: Authority
let kafka: SecureKafka
let clickhouse: Server
let receiver: Receiver
let stack: TestStack
const workers: Workers[] = []
const open: Kafka[] = []

const passwordOf = (role: string) => `${role}-p4ss`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-encryption-'))
  authority = createAuthority(folder)
  stranger = createAuthority(folder, 'stranger')
  kafka = await startSecureKafka({
    folder: join(folder, 'kafka'),
    authority,
    certificate: authority.issue('broker'),
    users: Object.fromEntries(KAFKA_ROLES.map((role) => [role, passwordOf(role)])),
  })
  await grant(kafkaAcls(PREFIX))
  clickhouse = await startTlsEnd(Number(new URL(inject('clickhouseUrl')).port))
  receiver = await startReceiver()
  await writeFile(join(folder, 'rules.yaml'), rules)
  await writeFile(
    join(folder, 'channels.yaml'),
    `channels: [{ name: hook, type: webhook, url: '${receiver.url}', allow_private: true }]`,
  )
  stack = await startTestStack({ ...asRole('operator'), workers: [] })
  for (const name of WORKERS) {
    const { env } = asRole(name)
    workers.push(
      await startWorkers({
        env: { ...stack.env, ...env },
        names: [name],
        logDir: stack.logDir,
        readyDeadlineMs: DEADLINE_MS,
        onProgress: () => undefined,
      }),
    )
  }
}, 180_000)

afterAll(async () => {
  for (const worker of workers) await worker.stop()
  for (const client of open) await client.close()
  await stack?.stop()
  await receiver?.stop()
  await kafka?.engine.stop()
  clickhouse?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Gives rights over the listener on which all is allowed, as an administrator does. */
async function grant(acls: readonly KafkaAcl[]): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: [`127.0.0.1:${kafka.openPort}`] })
  const admin = client.admin()
  await admin.connect()
  await admin.createAcls({ acl: acls.map(toKafkaJs) })
  await admin.disconnect()
}

function toKafkaJs({ role, resource, name, pattern, operation }: KafkaAcl): AclEntry {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
  const operations = {
    Read: AclOperationTypes.READ,
    Write: AclOperationTypes.WRITE,
    Describe: AclOperationTypes.DESCRIBE,
    All: AclOperationTypes.ALL,
    Create: AclOperationTypes.CREATE,
  }
  const resources = {
    topic: AclResourceTypes.TOPIC,
    group: AclResourceTypes.GROUP,
    cluster: AclResourceTypes.CLUSTER,
  }
  return {
    principal: `User:${role}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    operation: operations[operation],
    resourceType: resources[resource],
    resourceName: name,
    resourcePatternType:
      pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
  }
}

/** Ends TLS in front of a server that has none. */
async function startTlsEnd(port: number, asksCertificates = false): Promise<Server> {
  const { cert, key } = authority.issue('clickhouse')
  const ca = authority.ca
  const options = { cert, key, ca, requestCert: asksCertificates, rejectUnauthorized: true }
  const server = createServer(options, (socket) => {
    const upstream = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => upstream.destroy()).pipe(upstream)
    upstream.on('error', () => socket.destroy()).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** What a process of a role is given to reach Kafka and ClickHouse. */
function asRole(role: KafkaRole) {
  const env: Env = {
    ...login(role),
    SPANMETER_CLICKHOUSE_TLS_CA: authority.caFile,
    SPANMETER_TOPIC_PREFIX: PREFIX,
    SPANMETER_CLICKHOUSE_DATABASE: DATABASE,
    SPANMETER_ALERT_RULES: join(folder, 'rules.yaml'),
    SPANMETER_ALERT_SHIPPED_RULES: 'false',
    SPANMETER_ALERT_CHANNELS: join(folder, 'channels.yaml'),
    SPANMETER_ALERT_IDLE_MS: '1000',
  }
  const brokers = [`127.0.0.1:${kafka.port}`]
  return { brokers, clickhouseUrl: `https://localhost:${portOf(clickhouse)}`, env }
}

function login(role: KafkaRole, mechanism = 'scram-sha-512', password = passwordOf(role)): Env {
  return {
    SPANMETER_KAFKA_BROKERS: `127.0.0.1:${kafka.port}`,
    SPANMETER_KAFKA_TLS_CA: authority.caFile,
    SPANMETER_KAFKA_SASL_MECHANISM: mechanism,
    SPANMETER_KAFKA_SASL_USERNAME: role,
    SPANMETER_KAFKA_SASL_PASSWORD: password,
    SPANMETER_TOPIC_PREFIX: PREFIX,
  }
}

function clientWith(env: Env): Kafka {
  const client = connectKafka(parseCommonConfig(env).kafka, 'test', silent)
  open.push(client)
  return client
}

test('every worker as a user of its own: spans land, scores and alerts too', async () => {
  const bodies = sampleRequests({ rows: 60, seed: 5 })
  const sender = await openTopicSender(parseCommonConfig(asRole('producer').env), silent)
  await sender.send(bodies.slice(0, 30))
  await sender.close()
  for (const body of bodies.slice(30)) {
    const response = await fetch(`http://127.0.0.1:${stack.httpPort}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(body),
    })
    expect(response.status).toBe(200)
  }
  await until('spans land', DEADLINE_MS, countOf('spans'), (rows) => rows > 100)
  await until('lags are seen', DEADLINE_MS, countOf('observations'), (rows) => rows > 0)
  await until('alerts land', DEADLINE_MS, countOf('alerts'), (rows) => rows > 0)
  await until('deliveries land', DEADLINE_MS, countOf('alert_deliveries'), (rows) => rows > 0)
  expect(receiver.requests.length).toBeGreaterThan(0)
}, 120_000)

const countOf = (table: string) => async () => {
  const [row] = await stack.clickhouse.query<{ rows: number }>(
    `SELECT toUInt32(count()) AS rows FROM ${table}`,
  )
  return row?.rows ?? 0
}

test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('logs in by %s', async (mechanism) => {
  const client = clientWith(login('enrich', mechanism))
  expect(await client.partitions(spans.name)).toBe(4)
})

test('a password may stand in a file', async () => {
  const file = join(folder, 'password')
  await writeFile(file, `${passwordOf('sink')}\n`)
  const { SPANMETER_KAFKA_SASL_PASSWORD: _, ...env } = login('sink')
  const client = clientWith({ ...env, SPANMETER_KAFKA_SASL_PASSWORD_FILE: file })
  expect(await client.partitions(enrichedSpans.name)).toBe(4)
})

test('who has a wrong password is told so', async () => {
  const client = clientWith(login('enrich', 'scram-sha-512', 'wrong'))
  await expect(client.partitions(spans.name)).rejects.toThrow(/authentication failed/i)
})

test('a broker that another authority signed is not believed', async () => {
  const client = clientWith({ ...login('enrich'), SPANMETER_KAFKA_TLS_CA: stranger.caFile })
  await expect(client.partitions(spans.name)).rejects.toThrow(/certificate|signature/i)
}, 60_000)

test('a client shows its certificate where the broker asks for one', async () => {
  const { certFile, keyFile } = authority.issue('certified')
  const env = {
    SPANMETER_KAFKA_BROKERS: `127.0.0.1:${kafka.certificatePort}`,
    SPANMETER_KAFKA_TLS_CA: authority.caFile,
    SPANMETER_TOPIC_PREFIX: PREFIX,
  }
  const certified = clientWith({
    ...env,
    SPANMETER_KAFKA_TLS_CERT: certFile,
    SPANMETER_KAFKA_TLS_KEY: keyFile,
  })
  // It is let in, and has no rights.
  await expect(certified.partitions(spans.name)).rejects.toThrow(/access kafka/)
  await expect(clientWith(env).partitions(spans.name)).rejects.toThrow(/Kafka|certificate/)
}, 60_000)

test.each([
  ['ingest', enrichedSpans.name],
  ['enrich', otlpSpans.name],
  ['sink', spans.name],
  ['producer', spans.name],
  ['producer', deadLetters.name],
] as const)('%s may not write %s', async (role, topic) => {
  const writer = await clientWith(login(role)).openWriter()
  const record = { partition: 0, key: null, value: Buffer.from('x'), headers: {} }
  await expect(writer.write(topic, [record])).rejects.toThrow(/access kafka/)
  await writer.close()
})

test('a worker without one of its rights does not start, and says which topic', async () => {
  const refused = startWorkers({
    // A producer may do nothing but write to otlp_spans.
    env: { ...stack.env, ...asRole('producer').env },
    names: ['enrich'],
    logDir: stack.logDir,
    readyDeadlineMs: DEADLINE_MS,
    onProgress: () => undefined,
  })
  await expect(refused).rejects.toThrow(/enrich ended at once/)
  const log = await readFile(join(stack.logDir, 'enrich.log'), 'utf8')
  expect(log).toMatch(/may not use the topic sec\.spans/)
  expect(log).not.toContain(passwordOf('producer'))
})

test('a ClickHouse that another authority signed is not believed', async () => {
  await expect(pingWith(portOf(clickhouse), { ca: stranger })).rejects.toThrow(
    /certificate|signature/,
  )
})

test('a certificate of its own stands for the password of the user at ClickHouse', async () => {
  const asking = await startTlsEnd(Number(new URL(inject('clickhouseUrl')).port), true)
  try {
    const port = portOf(asking)
    await expect(pingWith(port, { ca: authority })).rejects.toThrow(/cannot be reached/)
    // It has come as far as the server, which sees no certificate behind this end of TLS.
    const certified = pingWith(port, { ca: authority, own: authority.issue('sink') })
    await expect(certified).rejects.toThrow(/SSL certificate authentication/)
  } finally {
    asking.close()
  }
})

async function pingWith(
  port: number,
  { ca, own }: { readonly ca: Authority; readonly own?: Certificate },
): Promise<void> {
  const { clickhouse: config } = parseCommonConfig({
    SPANMETER_CLICKHOUSE_URL: `https://localhost:${port}`,
    SPANMETER_CLICKHOUSE_TLS_CA: ca.caFile,
    SPANMETER_CLICKHOUSE_TLS_CERT: own?.certFile,
    SPANMETER_CLICKHOUSE_TLS_KEY: own?.keyFile,
  })
  const client = connectClickHouse(config)
  try {
    await client.ping()
  } finally {
    await client.close()
  }
}
