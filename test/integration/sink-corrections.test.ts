import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { priceCorrections } from '#schemas/topics.ts'
import { setUp } from '../../services/cli/stack.ts'
import { silent, until } from '../support/stack.ts'
import { auditOf, correctAll, readAudit } from './corrected-spans.ts'
import { makeSpans, spansFile } from './enriched-spans.ts'
import { actualRollups, expectedRollups } from './rollups.ts'

const NOW = BigInt(Date.now()) * 1_000_000n
const DEADLINE_MS = 30_000

/** Starts sink in a process of its own; gives what kills it, and resolves when it is gone. */
function startSink(env: Env): () => Promise<void> {
  const main = fileURLToPath(new URL('../../services/sink/main.ts', import.meta.url))
  const sink = fork(main, [], { env: { ...env }, stdio: 'ignore' })
  const ended = new Promise((resolve) => sink.once('exit', resolve))
  return async () => {
    sink.kill('SIGKILL')
    await ended
  }
}

test('sink lands what is written to price-corrections once, though it is killed as it does', async () => {
  const id = randomBytes(4).toString('hex')
  const env: Env = {
    ...process.env,
    SPANMETER_KAFKA_BROKERS: inject('brokers').join(','),
    SPANMETER_CLICKHOUSE_URL: inject('clickhouseUrl'),
    SPANMETER_CLICKHOUSE_DATABASE: `test_${id}`,
    SPANMETER_TOPIC_PREFIX: `${id}.`,
    SPANMETER_SINK_METRICS_PORT: '0',
    SPANMETER_ALERT_METRICS_PORT: '0',
    SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '3000',
    SPANMETER_SINK_MAX_BATCH_BYTES: String(64 * 1_024),
    SPANMETER_SINK_MIN_BATCH_BYTES: '1',
  }
  const config = parseCommonConfig(env)
  await setUp(env, config, silent, () => undefined)
  const clickhouse = connectClickHouse(config.clickhouse)
  const spans = makeSpans({ seed: 16, count: 4_000, fromNano: NOW, spreadSeconds: 3_600 })
  const corrections = correctAll(spans, 'run-1')
  await clickhouse.insertAvro({ table: 'spans_landing', file: spansFile(spans), token: 'spans' })
  const kafka = connectKafka(config.kafka, 'test', silent)
  await writeRecords(kafka, corrections)
  const audit = (what: string, count: number) =>
    until(
      what,
      DEADLINE_MS,
      () => readAudit(clickhouse),
      (lines) => lines.length >= count,
    )
  let stop = startSink(env)
  try {
    await audit('the first corrections land', 1)
    await stop()
    stop = startSink(env)
    await audit('all corrections land', corrections.length)
    const lag = () => kafka.lag('sink-price-corrections', priceCorrections.name)
    await until('no lag', DEADLINE_MS, lag, (left) => left === 0n)
    expect(await readAudit(clickhouse)).toEqual(auditOf(corrections))
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(spans, corrections))
  } finally {
    await stop()
    await kafka.close()
    await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
    await clickhouse.close()
  }
})

const RECORDS = 80

async function writeRecords(kafka: Kafka, corrections: readonly PriceCorrection[]): Promise<void> {
  const partitions = await kafka.partitions(priceCorrections.name)
  const writer = await kafka.openWriter()
  const records = Array.from({ length: RECORDS }, (_, number) => ({
    partition: number % partitions,
    key: null,
    headers: {},
    value: priceCorrections.codec.encode(corrections.filter((_each, i) => i % RECORDS === number)),
  }))
  await writer.write(priceCorrections.name, records)
  await writer.close()
}
