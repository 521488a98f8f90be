import { connectClickHouse } from '#runtime/clickhouse.ts'
import { REPEATS } from '#runtime/defaults.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { observeLoops } from '#runtime/metrics.ts'
import { runRecordLoop } from '#runtime/record-loop.ts'
import { type Running, runService, type ServiceContext } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { type BatchTopic, deadLetters, enrichedSpans, priceCorrections } from '#schemas/topics.ts'
import { parseConfig, type SinkConfig } from './config.ts'
import { createSinkStage } from './sink-stage.ts'

const NAME = 'sink'
/** A fetch counts bytes as they lie in Kafka, where zstd makes them about this many times less. */
const COMPRESSION = 7

/** Enriched spans, corrections of their prices and dead letters into ClickHouse. */
await runService({ name: NAME, parseConfig, start })

async function start(context: ServiceContext<SinkConfig>): Promise<Running> {
  const { config, logger, metrics, onFatal } = context
  const kafka = connectKafka(config.kafka, `spanmeter-${NAME}`, logger)
  await requirePartitions(kafka, enrichedSpans.name)
  await requirePartitions(kafka, priceCorrections.name)
  const deadLetterPartitions = await requirePartitions(kafka, deadLetters.name)
  const writer = await kafka.openWriter()
  const clickhouse = connectClickHouse(config.clickhouse, logger)
  const observe = observeLoops(metrics)
  const rejected = metrics.counter(
    'spanmeter_rejected_records_total',
    'Records that became dead letters.',
    ['reason'],
  )
  const land = <T>(group: string, { codec, name }: BatchTopic<T>, table: string) =>
    runRecordLoop({
      kafka,
      group,
      topic: name,
      fetch: {
        minBytes: Math.ceil(config.minBatchBytes / COMPRESSION),
        maxWaitMs: config.maxWaitMs,
        maxBytesPerPartition: Math.ceil(config.maxBatchBytes / COMPRESSION),
      },
      repeats: REPEATS,
      logger,
      onFatal,
      observer: observe(name),
      stage: createSinkStage({
        worker: NAME,
        codec,
        table,
        scope: kafka.name(group),
        insert: (insert) => clickhouse.insertAvro(insert),
        writer,
        deadLetterPartitions,
        maxChunkBytes: config.maxBatchBytes,
        onRejected: (reason) => rejected.inc({ reason }),
      }),
    })
  const consumers = [
    await land('sink', enrichedSpans, 'spans_landing'),
    await land('sink-price-corrections', priceCorrections, 'price_corrections_landing'),
    await land('sink-dead-letters', deadLetters, 'dead_letters_landing'),
  ]
  return {
    async stop() {
      await Promise.all(consumers.map((consumer) => consumer.stop()))
      await writer.close()
      await clickhouse.close()
      await kafka.close()
    },
  }
}
