import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { afterAll, describe, expect, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { readers } from '#schemas/readers.ts'
import { otlpSpans, topics } from '#schemas/topics.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { canaryJson, canaryProto, Canaries, canaryScores } from '../support/canaries.ts'
import { countSpans, silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { startEmbeddedEngines } from './start-engines.ts'

const DEADLINE_MS = 90_000
const START = BigInt(Date.now() - 600_000) * 1_000_000n
/** HTTP and gRPC with protobuf, HTTP with JSON, and the topic with both. */
const SPANS = 5

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

async function post(stack: TestStack, path: string, type: string, body: Buffer): Promise<void> {
  const headers = { 'content-type': `application/${type}` }
  const url = `http://127.0.0.1:${stack.httpPort}${path}`
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })
  expect([response.status, response.status === 200 ? '' : await response.text()]).toEqual([200, ''])
}

const same = (bytes: Buffer) => bytes

function callGrpc(stack: TestStack, body: Buffer): Promise<void> {
  const client = new Client(`127.0.0.1:${stack.grpcPort}`, credentials.createInsecure())
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, body, (error) => {
      client.close()
      if (error === null) resolve()
      else reject(error)
    })
  })
}

/** Sends canaries in every way, as spans that are taken in and as such that are not. */
async function sendAll(stack: TestStack, canaries: Canaries): Promise<void> {
  const proto = (isBroken = false) => canaryProto(canaries, START, isBroken)
  const json = (isBroken = false) => canaryJson(canaries, START, isBroken)
  for (const isBroken of [false, true]) {
    await post(stack, '/v1/traces', 'x-protobuf', proto(isBroken))
    await post(stack, '/v1/traces', 'json', json(isBroken))
    await callGrpc(stack, proto(isBroken))
  }
  await post(stack, '/v1/evaluations', 'json', canaryScores(canaries))
  const sender = await openTopicSender(parseCommonConfig(stack.env), silent)
  await sender.send([proto(), proto(true), json(), json(true)])
  await sender.send([Buffer.from(`{"broken": "${canaries.prose()}"`), brokenProto(canaries)])
  await sender.close()
}

/** Bytes that are no protobuf, with canaries. */
function brokenProto(canaries: Canaries): Buffer {
  return Buffer.concat([Buffer.from([0x0a, 0xff, 0x7f]), Buffer.from(canaries.prose())])
}

async function settle(stack: TestStack): Promise<void> {
  await until(
    'all spans',
    DEADLINE_MS,
    () => countSpans(stack),
    (spans) => spans >= SPANS,
  )
  const kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  const { ingest, enrich, sink, sinkEvaluations, sinkDeadLetters } = readers
  for (const { group, topic } of [ingest, enrich, sink, sinkEvaluations, sinkDeadLetters]) {
    const lag = () => kafka.lag(group, topic)
    await until(`no lag of ${group}`, DEADLINE_MS, lag, (left) => left === 0n)
  }
  await kafka.close()
}

type Found = Record<string, readonly string[]>

/** Records of every topic but the one that others write themselves. */
async function searchTopics(stack: TestStack, canaries: Canaries): Promise<Found> {
  const kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  const found: Found = {}
  for (const { name } of topics) {
    if (name === otlpSpans.name) continue
    const here = new Set<string>()
    for (let partition = 0; partition < (await kafka.partitions(name)); partition++) {
      await kafka.readPartition(name, partition, ({ key, value }) => {
        for (const one of canaries.find(Buffer.concat([Buffer.from(key), value]))) here.add(one)
      })
    }
    found[name] = [...here]
  }
  await kafka.close()
  return found
}

/** Every row of every table of the database. */
async function searchTables({ clickhouse }: TestStack, canaries: Canaries): Promise<Found> {
  const tables = await clickhouse.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = '${clickhouse.database}'
       AND engine NOT LIKE '%View' AND engine NOT IN ('Null', 'Dictionary')`,
  )
  const found: Found = {}
  for (const { name } of tables) {
    const rows = await clickhouse.query(`SELECT * FROM ${clickhouse.database}.\`${name}\``)
    found[name] = [...canaries.find(Buffer.from(JSON.stringify(rows)))]
  }
  return found
}

function searchLogs({ logDir }: TestStack, canaries: Canaries): Found {
  const files = readdirSync(logDir)
  return Object.fromEntries(
    files.map((file) => [file, [...canaries.find(readFileSync(join(logDir, file)))]]),
  )
}

interface Search {
  readonly topics: Found
  readonly tables: Found
  readonly logs: Found
  readonly files: ReadonlyMap<string, readonly string[]>
}

/** Runs the whole stack with engines of its own, sends canaries, and searches everywhere. */
async function runAndSearch(canaries: Canaries, policy: string | undefined): Promise<Search> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanmeter-redaction-'))
  folders.push(dataDir)
  const file = join(dataDir, 'redaction.yaml')
  if (policy !== undefined) writeFileSync(file, policy)
  const engines = await startEmbeddedEngines({ dataDir, onProgress: () => undefined })
  const stack = await startTestStack({
    ...engines,
    env: policy === undefined ? {} : { SPANMETER_REDACTION: file },
    workers: ['ingest', 'enrich', 'sink', 'alert'],
  })
  let found
  try {
    await sendAll(stack, canaries)
    await settle(stack)
    const inTopics = await searchTopics(stack, canaries)
    const inTables = await searchTables(stack, canaries)
    found = { topics: inTopics, tables: inTables, logs: searchLogs(stack, canaries) }
  } finally {
    await stack.stop().finally(() => engines.stop())
  }
  return { ...found, files: canaries.findInFiles(dataDir, /\.otlp_spans-\d+\//) }
}

const whereFound = (found: Found) =>
  Object.entries(found).filter(([, canaries]) => canaries.length > 0)

describe(
  'Canaries in every place of spans, scores and what is refused',
  { timeout: 240_000 },
  () => {
    test('are nowhere after redaction: in no record, row, log or file of the engines', async () => {
      const canaries = new Canaries()
      const { topics: records, tables, logs, files } = await runAndSearch(canaries, 'default: {}')
      expect(canaries.markers.size).toBeGreaterThan(200)
      expect(whereFound(records)).toEqual([])
      expect(whereFound(tables)).toEqual([])
      expect(whereFound(logs)).toEqual([])
      expect([...files]).toEqual([])
      expect(Object.keys(tables)).toEqual(expect.arrayContaining(['spans', 'dead_letters']))
    })

    test('are found by the same search without it', async () => {
      const canaries = new Canaries()
      const { topics: records, tables, files } = await runAndSearch(canaries, undefined)
      const inRecords = new Set(Object.values(records).flat())
      expect([...canaries.markers].filter((marker) => !inRecords.has(marker))).toEqual([])
      for (const topic of ['spans', 'spans.enriched', 'evaluations', 'dead-letters']) {
        expect([topic, (records[topic]?.length ?? 0) > 10]).toEqual([topic, true])
      }
      for (const table of ['spans', 'span_content', 'evaluations', 'dead_letters']) {
        expect([table, (tables[table]?.length ?? 0) > 3]).toEqual([table, true])
      }
      // Kafka's files are compressed with zstd, so that its records have to be read to be searched.
      const inClickHouse = [...files.keys()].filter((path) => path.includes('/clickhouse/'))
      expect(inClickHouse.length).toBeGreaterThan(0)
    })
  },
)
