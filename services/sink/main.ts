import { connectClickHouse } from '#runtime/clickhouse.ts'
import { REPEATS } from '#runtime/defaults.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { observeLoops } from '#runtime/metrics.ts'
import { runRecordLoop } from '#runtime/record-loop.ts'
import { type Running, runService, type ServiceContext } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { type Reader, readers } from '#schemas/readers.ts'
import {
  alertDeliveries,
  alerts,
  type BatchTopic,
  deadLetters,
  enrichedSpans,
  evaluations,
  observations,
  priceCorrections,
} from '#schemas/topics.ts'
import { parseConfig, type SinkConfig } from './config.ts'
import { createSinkStage } from './sink-stage.ts'

const NAME = 'sink'
/** A fetch counts bytes as they lie in Kafka, where zstd makes them about this many times less. */
const COMPRESSION = 7
/** What is read beside dead letters, which are also written. */
const REQUIRED = [
  enrichedSpans,
  priceCorrections,
  evaluations,
  alerts,
  alertDeliveries,
  observations,
]

/** Everything that is kept goes into ClickHouse: spans, prices, scores, alerts, observations, dead letters. */
await runService({ name: NAME, parseConfig, start })

async function start(context: ServiceContext<SinkConfig>): Promise<Running> {
  const { config, logger, metrics, onFatal } = context
  const kafka = connectKafka(config.kafka, `spanmeter-${NAME}`, logger)
  for (const { name } of REQUIRED) await requirePartitions(kafka, name)
  const deadLetterPartitions = await requirePartitions(kafka, deadLetters.name)
  const writer = await kafka.openWriter()
  const shards = config.shardUrls.map((url) =>
    connectClickHouse({ ...config.clickhouse, url }, logger),
  )
  const observe = observeLoops(metrics)
  const rejected = metrics.counter(
    'spanmeter_rejected_records_total',
    'Records that became dead letters.',
    ['reason'],
  )
  const land = <T>({ group }: Reader, { codec, name }: BatchTopic<T>, table: string) =>
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
        insert: ({ partition, ...insert }) => shardOf(shards, partition).insertAvro(insert),
        writer,
        deadLetterPartitions,
        maxChunkBytes: config.maxBatchBytes,
        onRejected: (reason) => rejected.inc({ reason }),
      }),
    })
  const consumers = [
    await land(readers.sink, enrichedSpans, 'spans_landing'),
    await land(readers.sinkPriceCorrections, priceCorrections, 'price_corrections_landing'),
    await land(readers.sinkDeadLetters, deadLetters, 'dead_letters_landing'),
    await land(readers.sinkEvaluations, evaluations, 'evaluations_landing'),
    await land(readers.sinkAlerts, alerts, 'alerts_landing'),
    await land(readers.sinkAlertDeliveries, alertDeliveries, 'alert_deliveries_landing'),
    await land(readers.sinkObservations, observations, 'observations_landing'),
  ]
  return {
    async stop() {
      await Promise.all(consumers.map((consumer) => consumer.stop()))
      await writer.close()
      await Promise.all(shards.map((shard) => shard.close()))
      await kafka.close()
    },
  }
}

function shardOf<Shard>(shards: readonly Shard[], partition: number): Shard {
  const shard = shards[partition % shards.length]
  if (shard === undefined) throw new Error('there is no shard to write to')
  return shard
}
