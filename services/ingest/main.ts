import { FETCH, MAX_CHUNK_BYTES, REPEATS } from '#runtime/defaults.ts'
import { createGroupedWriter } from '#runtime/grouped-writer.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { type Metrics, observeLoops } from '#runtime/metrics.ts'
import { runRecordLoop } from '#runtime/record-loop.ts'
import { type Running, runService, type ServiceContext } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { createTransformStage } from '#runtime/transform-stage.ts'
import { deadLetters, otlpSpans, spans } from '#schemas/topics.ts'
import { createAcceptor } from './acceptor.ts'
import { type IngestConfig, parseConfig } from './config.ts'
import { startGrpcReceiver } from './otlp-grpc.ts'
import { createHttpReceiver } from './otlp-http.ts'
import { createTopicTransform } from './topic-receiver.ts'
import { createTranscoder, type Transcode } from './transcode.ts'

const NAME = 'ingest'
const MAX_WRITE_BYTES = 8 * 1024 * 1024
const MAX_CONNECTIONS = 10_000
const REQUEST_TIMEOUT_MS = 60_000

/** OTLP in, over HTTP, gRPC and the topic otlp_spans; batches of spans out. */
await runService({ name: NAME, parseConfig, start })

async function start(context: ServiceContext<IngestConfig>): Promise<Running<IngestConfig>> {
  const { config, logger, metrics, onFatal } = context
  const kafka = connectKafka(config.kafka, `spanmeter-${NAME}`, logger)
  const spanPartitions = await requirePartitions(kafka, spans.name)
  const deadLetterPartitions = await requirePartitions(kafka, deadLetters.name)
  await requirePartitions(kafka, otlpSpans.name)
  const writer = await kafka.openWriter()
  const { onSpans, onRejected } = countSpans(metrics)
  let newest = createTranscoder(config.conventions, config.transcode)
  const transcode: Transcode = (request, receivedTimeMs) => newest(request, receivedTimeMs)

  const consumer = await runRecordLoop({
    kafka,
    group: NAME,
    topic: otlpSpans.name,
    fetch: FETCH,
    repeats: REPEATS,
    logger,
    onFatal,
    observer: observeLoops(metrics)(otlpSpans.name),
    stage: createTransformStage({
      worker: NAME,
      writer,
      transform: createTopicTransform(transcode, onSpans),
      output: { topic: spans.name, partitions: spanPartitions },
      deadLetterPartitions,
      maxChunkBytes: MAX_CHUNK_BYTES,
      onRejected,
    }),
  })

  const accept = createAcceptor({
    transcode,
    writer: createGroupedWriter({
      writer,
      maxQueuedBytes: config.maxInflightBytes,
      maxWriteBytes: MAX_WRITE_BYTES,
    }),
    spanPartitions,
    deadLetterPartitions,
    now: Date.now,
    onSpans,
    onRejected,
  })
  const receivers = await startReceivers(context, accept)
  return {
    reload({ conventions }) {
      newest = createTranscoder(conventions, config.transcode)
    },
    async stop() {
      await receivers.stop()
      await consumer.stop()
      await writer.close()
      await kafka.close()
    },
  }
}

async function startReceivers(
  { config, logger }: ServiceContext<IngestConfig>,
  accept: ReturnType<typeof createAcceptor>,
): Promise<Running> {
  const limits = {
    maxRequestBytes: config.maxBodyBytes,
    maxInflightBytes: config.maxInflightBytes,
    maxConnections: MAX_CONNECTIONS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  }
  const http = createHttpReceiver({ accept, limits, logger })
  await http.listen({ host: config.host, port: config.httpPort })
  const { host, grpcPort: port } = config
  const grpc = await startGrpcReceiver({ accept, limits, logger, host, port })
  logger.info({ host, http: config.httpPort, grpc: port }, 'Receiving OTLP.')
  return {
    async stop() {
      await Promise.all([http.close(), grpc.stop()])
    },
  }
}

function countSpans(metrics: Metrics) {
  const accepted = metrics.counter('spanmeter_spans_total', 'Spans taken in.', ['via'])
  const rejected = metrics.counter(
    'spanmeter_rejected_spans_total',
    'Spans, or whole records, that became dead letters.',
    ['reason'],
  )
  return {
    onSpans: (via: string, spanCount: number) => accepted.inc({ via }, spanCount),
    onRejected: (reason: string) => rejected.inc({ reason }),
  }
}
