import { randomBytes } from 'node:crypto'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { type ClosableWriter, connectKafka, type Kafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'
import type { NewRecord } from '#runtime/records.ts'
import { topicSpecs } from '#runtime/topics.ts'
import { enrichedSpans } from '#schemas/topics.ts'
import { findFreePorts } from '../services/embedded/ports.ts'
import type { Stage } from './stage.ts'

/** Topics and consumer groups of one round, apart from those of any other. */
export interface AlertRound {
  /** Tells this round from others. */
  readonly id: string
  /** The environment of the workers. */
  readonly env: Env
  readonly brokers: readonly string[]
  readonly kafka: Kafka
  /** Where ingest receives OTLP over HTTP. */
  readonly otlpPort: number
  /** Writes records of spans.enriched over its partitions in turn, as enrich would. */
  write(values: readonly Buffer[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** As much as the workers put into one write. */
const MAX_WRITE_BYTES = 1024 * 1024
/** A process that is made to stand still keeps its partitions for as long. */
export const SESSION_TIMEOUT_MS = 120_000
/** Failures are thrown, and standard output is the report's. */
const silent = createLogger('bench', 'silent')

/** Makes the topics of a round. */
export async function openAlertRound(stage: Stage): Promise<AlertRound> {
  const id = `bench_${randomBytes(4).toString('hex')}`
  const [http = 0, grpc] = await findFreePorts(2)
  const env: Env = {
    ...stage.env,
    SPANMETER_TOPIC_PREFIX: `${id}.`,
    SPANMETER_OTLP_HTTP_PORT: String(http),
    SPANMETER_OTLP_GRPC_PORT: String(grpc),
    SPANMETER_INGEST_METRICS_PORT: '0',
    SPANMETER_ENRICH_METRICS_PORT: '0',
    SPANMETER_ALERT_METRICS_PORT: '0',
    SPANMETER_KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
  }
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'spanmeter-bench', silent)
  await kafka.ensureTopics(topicSpecs(env))
  const partitions = await kafka.partitions(enrichedSpans.name)
  const writer = await kafka.openWriter()
  let next = 0
  return {
    id,
    env,
    brokers: stage.engines.brokers,
    kafka,
    otlpPort: http,
    async write(values, signal) {
      const queues = values.map((value) => ({ value, partition: next++ % partitions }))
      for (let partition = 0; partition < partitions; partition++) {
        const own = queues.filter((record) => record.partition === partition)
        await writeAll(writer, own.map(toRecord), signal)
      }
    },
    async close() {
      await writer.close()
      await kafka.close()
    },
  }
}

function toRecord({ value, partition }: { value: Buffer; partition: number }): NewRecord {
  return { partition, key: null, value, headers: {} }
}

async function writeAll(
  writer: ClosableWriter,
  records: readonly NewRecord[],
  signal: AbortSignal,
): Promise<void> {
  let write: NewRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (write.length > 0 && bytes + record.value.length > MAX_WRITE_BYTES) {
      signal.throwIfAborted()
      await writer.write(enrichedSpans.name, write)
      write = []
      bytes = 0
    }
    write.push(record)
    bytes += record.value.length
  }
  if (write.length > 0) await writer.write(enrichedSpans.name, write)
}
