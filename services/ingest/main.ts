import { FETCH, MAX_CHUNK_BYTES, REPEATS } from '#runtime/defaults.ts'
import { createGroupedWriter } from '#runtime/grouped-writer.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { type Metrics, observeLoops } from '#runtime/metrics.ts'
import { runRecordLoop } from '#runtime/record-loop.ts'
import { type Running, runService, type ServiceContext } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { createTransformStage } from '#runtime/transform-stage.ts'
import { readers } from '#schemas/readers.ts'
import { deadLetters, evaluations, otlpSpans, spans } from '#schemas/topics.ts'
import { createAcceptor } from './acceptor.ts'
import { type IngestConfig, parseConfig } from './config.ts'
import { createEvaluationsAcceptor } from './evaluations-acceptor.ts'
import { createEvaluationsTransform } from './evaluations-transform.ts'
import { createSwappableRedactor } from './redact/redactor.ts'
import { startReceivers } from './receivers.ts'
import { byContent, createTopicTransform } from './topic-receiver.ts'
import { createTranscoder, type Transcode } from './transcode.ts'

const NAME = 'ingest'
const MAX_WRITE_BYTES = 8 * 1024 * 1024

/** OTLP in, over HTTP, gRPC and the topic otlp_spans, and scores over HTTP; batches of both out. */
await runService({ name: NAME, parseConfig, start })

async function start(context: ServiceContext<IngestConfig>): Promise<Running<IngestConfig>> {
  const { config, logger, metrics, onFatal } = context
  const kafka = connectKafka(config.kafka, `spanmeter-${NAME}`, logger)
  const spanPartitions = await requirePartitions(kafka, spans.name)
  const evaluationPartitions = await requirePartitions(kafka, evaluations.name)
  const deadLetterPartitions = await requirePartitions(kafka, deadLetters.name)
  await requirePartitions(kafka, otlpSpans.name)
  const writer = await kafka.openWriter()
  const { onSpans, onRejected } = countSpans(metrics)
  const counted = countEvaluations(metrics)
  const redactor = createSwappableRedactor(config.redaction)
  let newest = createTranscoder(config.conventions, config.transcode, { redactor })
  const transcode: Transcode = (...request) => newest(...request)

  const consumer = await runRecordLoop({
    kafka,
    group: readers.ingest.group,
    topic: otlpSpans.name,
    fetch: FETCH,
    repeats: REPEATS,
    logger,
    onFatal,
    observer: observeLoops(metrics)(otlpSpans.name),
    stage: createTransformStage({
      worker: NAME,
      writer,
      transform: byContent(
        createTopicTransform(transcode, onSpans, redactor),
        createEvaluationsTransform(counted.onAccepted, redactor),
      ),
      output: { topic: spans.name, partitions: spanPartitions },
      secondOutput: { topic: evaluations.name, partitions: evaluationPartitions },
      deadLetterPartitions,
      maxChunkBytes: MAX_CHUNK_BYTES,
      onRejected,
    }),
  })

  const groupedWriter = createGroupedWriter({
    writer,
    maxQueuedBytes: config.maxInflightBytes,
    maxWriteBytes: MAX_WRITE_BYTES,
  })
  const common = { writer: groupedWriter, redactor, deadLetterPartitions, now: Date.now }
  const accepts = {
    accept: createAcceptor({ ...common, transcode, spanPartitions, onSpans, onRejected }),
    acceptEvaluations: createEvaluationsAcceptor({
      ...common,
      ...counted,
      partitions: evaluationPartitions,
    }),
  }
  const receivers = await startReceivers(config, accepts, { logger, metrics })
  return {
    reload(next) {
      redactor.swap(next.redaction)
      newest = createTranscoder(next.conventions, config.transcode, { redactor })
      receivers.reload(next)
    },
    async stop() {
      await receivers.stop()
      await consumer.stop()
      await writer.close()
      await kafka.close()
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

function countEvaluations(metrics: Metrics) {
  const accepted = metrics.counter('spanmeter_evaluations_total', 'Evaluations taken in.', [
    'origin',
  ])
  const rejected = metrics.counter(
    'spanmeter_rejected_evaluations_total',
    'Evaluations that became dead letters.',
    ['reason'],
  )
  return {
    onAccepted: (count: number) => accepted.inc({ origin: 'api' }, count),
    onRejected: (reason: string) => rejected.inc({ reason }),
  }
}
