import kafkajs, {
  type Admin,
  type Consumer as KafkaJsConsumer,
  type EachBatchPayload,
  type Kafka as KafkaJs,
  type KafkaConfig as KafkaConfigJs,
  type LogEntry,
} from 'kafkajs'
import { Assignment } from './assignment.ts'
import type { KafkaConfig } from './config.ts'
import { classified, isClassified } from './kafkajs-errors.ts'
import { mendKafkaJs } from './kafkajs-mends.ts'
import { countPartitions, ensureTopics, fetchCommitted, lags, startAtEnd } from './kafkajs-admin.ts'
import { toRecord } from './kafkajs-record.ts'
import { readPartition } from './kafkajs-reader.ts'
import type { Logger } from './log.ts'
import {
  type BatchControl,
  type KeyedRecord,
  type RecordBatch,
  type RecordWriter,
} from './records.ts'

/** The connection to a Kafka cluster that a process opens once. */
export interface Kafka {
  /** Name of a topic or group with the configured prefix. */
  name(plain: string): string
  /** Makes the topics that are missing; gives the names of those it made. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<readonly string[]>
  /** Number of partitions of a topic. */
  partitions(topic: string): Promise<number>
  /** Records that a group has still to read, over all partitions of a topic. */
  lag(group: string, topic: string): Promise<bigint>
  /** Records that a group has still to read, by partition of a topic. */
  lags(group: string, topic: string): Promise<ReadonlyMap<number, bigint>>
  /** Lets a group that has read nothing of a partition yet begin with what comes from now on. */
  startAtEnd(group: string, topic: string): Promise<void>
  openWriter(): Promise<ClosableWriter>
  /** Reads one partition from its start to the end that it has now. */
  readPartition(
    topic: string,
    partition: number,
    onRecord: (record: KeyedRecord) => void,
  ): Promise<void>
  consume(options: ConsumeOptions): Promise<Consumer>
  close(): Promise<void>
}

/** A topic to be made, and its settings. */
export interface TopicSpec {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export interface ClosableWriter extends RecordWriter {
  close(): Promise<void>
}

export interface Consumer {
  /** Ends after the batch under way; its partitions go to other members. */
  stop(): Promise<void>
}

export interface ConsumeOptions {
  readonly group: string
  readonly topic: string
  /** A fetch is answered with this many bytes, or after maxWaitMs. */
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly maxBytesPerPartition: number
  /** Called after every rebalance, before the first batch of the new assignment. */
  readonly onAssigned: (partitions: readonly number[]) => void
  /** Handles one batch; batches come one after the other. */
  readonly onBatch: (batch: RecordBatch, control: BatchControl) => Promise<void>
  /** The consumer ended by itself and will not go on. */
  readonly onFatal: (error: Error) => void
}

const REQUEST_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 3_000
const RETRY = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 }

mendKafkaJs()

/** kafkajs's own client, for what is beside the work of workers (record-store.ts). */
export function createKafkaJs(config: KafkaConfig, clientId: string, logger: Logger): KafkaJs {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...config.brokers],
    ...security(config),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => logEntry(logger, entry),
  })
}

/** Opens a cluster. The only place that knows kafkajs. */
export function connectKafka(config: KafkaConfig, clientId: string, logger: Logger): Kafka {
  const client = createKafkaJs(config, clientId, logger)
  const name = (plain: string) => config.topicPrefix + plain
  let admin: Promise<Admin> | undefined
  const openAdmin = (): Promise<Admin> => (admin ??= connectAdmin(client.admin()))
  const lagsOf = async (group: string, topic: string) => {
    const opened = await openAdmin()
    return classified(() => lags(opened, name(group), name(topic)))
  }
  return {
    name,
    ensureTopics: async (topics) => ensureTopics(await openAdmin(), topics, name),
    partitions: (topic) => classified(() => countPartitions(client, name(topic))),
    lag: async (group, topic) =>
      [...(await lagsOf(group, topic)).values()].reduce((sum, behind) => sum + behind, 0n),
    lags: lagsOf,
    readPartition: async (topic, partition, onRecord) =>
      readPartition({ client, admin: await openAdmin(), topic: name(topic), partition, onRecord }),
    startAtEnd: async (group, topic) =>
      startAtEnd({ client, admin: await openAdmin(), groupId: name(group), topic: name(topic) }),
    openWriter: () => openWriter(client, name),
    consume: async (options) =>
      consume({ client, admin: await openAdmin(), config, options, logger, name }),
    close: async () => (await admin)?.disconnect(),
  }
}

/** kafkajs reads PEM texts as Node's TLS does. */
function security({ tls, sasl }: KafkaConfig): Pick<KafkaConfigJs, 'ssl' | 'sasl'> {
  return {
    ...(tls === undefined ? {} : { ssl: { ...tls, minVersion: 'TLSv1.2' } }),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

async function connectAdmin(admin: Admin): Promise<Admin> {
  await admin.connect()
  return admin
}

async function openWriter(
  client: KafkaJs,
  name: (plain: string) => string,
): Promise<ClosableWriter> {
  const producer = client.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: RETRY,
  })
  await producer.connect()
  return {
    async write(topic, records) {
      const messages = records.map(({ partition, key, value, headers }) => ({
        partition,
        key,
        value: value.length === 0 ? null : value,
        headers: { ...headers },
      }))
      await classified(() =>
        producer.sendBatch({
          acks: -1,
          compression: kafkajs.CompressionTypes.ZSTD,
          topicMessages: [{ topic: name(topic), messages }],
        }),
      )
    },
    close: () => producer.disconnect(),
  }
}

interface ConsumeParts {
  readonly client: KafkaJs
  readonly admin: Admin
  readonly config: KafkaConfig
  readonly options: ConsumeOptions
  readonly logger: Logger
  readonly name: (plain: string) => string
}

async function consume(parts: ConsumeParts): Promise<Consumer> {
  const { client, config, options, name } = parts
  const groupId = name(options.group)
  const topic = name(options.topic)
  const consumer = client.consumer({
    groupId,
    sessionTimeout: config.sessionTimeoutMs,
    heartbeatInterval: Math.floor(config.sessionTimeoutMs / 4),
    rebalanceTimeout: config.sessionTimeoutMs * 2,
    minBytes: options.minBytes,
    maxWaitTimeInMs: options.maxWaitMs,
    maxBytesPerPartition: options.maxBytesPerPartition,
    maxBytes: options.maxBytesPerPartition * 4,
    allowAutoTopicCreation: false,
    retry: RETRY,
  })
  let stopped = false
  const assignment = new Assignment()
  consumer.on('consumer.group_join', ({ payload }) => {
    const partitions = payload.memberAssignment[topic] ?? []
    assignment.renew(partitions)
    options.onAssigned(partitions)
  })
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart && !stopped) options.onFatal(payload.error)
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: (payload) => handleBatch(parts, { consumer, assignment, groupId }, payload),
  })
  return {
    async stop() {
      stopped = true
      await consumer.disconnect()
    },
  }
}

interface Membership {
  readonly consumer: KafkaJsConsumer
  readonly assignment: Assignment
  readonly groupId: string
}

async function handleBatch(
  { admin, options }: ConsumeParts,
  { consumer, assignment, groupId }: Membership,
  payload: EachBatchPayload,
): Promise<void> {
  const { batch } = payload
  const { topic, partition } = batch
  const last = batch.messages.at(-1)
  if (last === undefined || payload.isStale() || !payload.isRunning()) return
  const free: BatchControl = {
    heartbeat: () => classified(() => payload.heartbeat()),
    commit: ({ offset, metadata }) =>
      classified(() =>
        payload.commitOffsetsIfNecessary({
          topics: [{ topic, partitions: [withMetadata(partition, offset, metadata)] }],
        }),
      ),
    committed: () => {
      const end = BigInt(batch.highWatermark)
      return fetchCommitted(admin, groupId, { topic, partition, end })
    },
    seek: (offset) => consumer.seek({ topic, partition, offset: String(offset) }),
  }
  const control = assignment.bind(partition, free, fetchAgain)
  if (control === undefined) return
  const records: RecordBatch = {
    partition,
    records: batch.messages.map(toRecord),
    nextOffset: BigInt(last.offset) + 1n,
    highWatermark: BigInt(batch.highWatermark),
  }
  try {
    await options.onBatch(records, control)
  } catch (error) {
    // kafkajs joins the group again, or fetches again, when it sees its own error.
    if (isClassified(error)) throw error.cause
    options.onFatal(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
  if (!payload.isStale()) payload.resolveOffset(last.offset)
}

/** The error of kafkajs's own that lets it fetch again. */
function fetchAgain(): Error {
  return new kafkajs.KafkaJSError('the group was shared out anew while a batch was handled')
}

/** kafkajs sends metadata along although its types do not say so. */
function withMetadata(partition: number, offset: bigint, metadata: string) {
  return { partition, offset: String(offset), metadata }
}

function logEntry(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...rest } = log
  const line = { kafka: namespace, ...rest }
  // What kafkajs calls an error it retries; what it gives up comes back as an exception.
  if (level <= kafkajs.logLevel.WARN) logger.warn(line, message)
  else logger.debug(line, message)
}
