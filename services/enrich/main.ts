import { FETCH, MAX_CHUNK_BYTES, REPEATS } from '#runtime/defaults.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { observeLoops } from '#runtime/metrics.ts'
import { runRecordLoop } from '#runtime/record-loop.ts'
import { type Running, runService, type ServiceContext } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { createTransformStage, type Transform } from '#runtime/transform-stage.ts'
import { readers } from '#schemas/readers.ts'
import { deadLetters, enrichedSpans, evaluations, spans } from '#schemas/topics.ts'
import { type EnrichConfig, parseConfig } from './config.ts'
import { createEnricher } from './enrich.ts'
import { observePrices } from './price-metrics.ts'

const NAME = 'enrich'

/** Batches of spans in; the same with price and tags out, and the scores that they carry. */
await runService({ name: NAME, parseConfig, start })

async function start(context: ServiceContext<EnrichConfig>): Promise<Running<EnrichConfig>> {
  const { config, logger, metrics, onFatal } = context
  const kafka = connectKafka(config.kafka, `spanmeter-${NAME}`, logger)
  await requirePartitions(kafka, spans.name)
  const partitions = await requirePartitions(kafka, enrichedSpans.name)
  const evaluationPartitions = await requirePartitions(kafka, evaluations.name)
  const deadLetterPartitions = await requirePartitions(kafka, deadLetters.name)
  const writer = await kafka.openWriter()
  const rejected = metrics.counter(
    'spanmeter_rejected_records_total',
    'Records that became dead letters.',
    ['reason'],
  )
  const onPriced = observePrices(metrics)
  const evaluationsTotal = metrics.counter('spanmeter_evaluations_total', 'Evaluations taken in.', [
    'origin',
  ])
  const onEvaluations = (count: number) => evaluationsTotal.inc({ origin: 'span_event' }, count)
  const enricherOf = ({ prices, tagSpan, contentRate }: EnrichConfig): Transform =>
    createEnricher({ prices, tagSpan, contentRate, onPriced, onEvaluations })
  let newest = enricherOf(config)
  const consumer = await runRecordLoop({
    kafka,
    group: readers.enrich.group,
    topic: spans.name,
    fetch: FETCH,
    repeats: REPEATS,
    logger,
    onFatal,
    observer: observeLoops(metrics)(spans.name),
    stage: createTransformStage({
      worker: NAME,
      writer,
      transform: (record) => newest(record),
      output: { topic: enrichedSpans.name, partitions },
      secondOutput: { topic: evaluations.name, partitions: evaluationPartitions },
      deadLetterPartitions,
      maxChunkBytes: MAX_CHUNK_BYTES,
      onRejected: (reason) => rejected.inc({ reason }),
    }),
  })
  return {
    reload(changed) {
      newest = enricherOf(changed)
    },
    async stop() {
      await consumer.stop()
      await writer.close()
      await kafka.close()
    },
  }
}
