import { hostname } from 'node:os'
import { FETCH, MAX_CHUNK_BYTES, REPEATS } from '#runtime/defaults.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { observeLoops } from '#runtime/metrics.ts'
import { runRecordLoop } from '#runtime/record-loop.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { type Running, runService, type ServiceContext } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { readers } from '#schemas/readers.ts'
import {
  alertDeliveries,
  alerts,
  alertState,
  observations,
  spanAggregates,
} from '#schemas/topics.ts'
import { startAggregators } from './aggregators.ts'
import { observeAlerts } from './alert-metrics.ts'
import { type AlertConfig, parseConfig } from './config.ts'
import { createEvaluateStage, type EvaluateStage } from './evaluate-stage.ts'
import type { Evaluator } from './evaluator.ts'
import { createLlmMetrics } from './llm-metrics.ts'
import { startNotifiers } from './notify/notifiers.ts'
import { observe, type ObserverOptions } from './observations.ts'
import { repeatEvery } from './repeat-every.ts'
import { createStateLog } from './state-log.ts'
import { watchFiles } from './watch-files.ts'

const NAME = 'alert'
const OBSERVE_EVERY_MS = 10_000

/** Enriched spans and scores in; changes of alerts out, and channels told of them. */
await runService({ name: NAME, parseConfig, start })

async function start(context: ServiceContext<AlertConfig>): Promise<Running<AlertConfig>> {
  const { config, logger, metrics, onFatal } = context
  const kafka = connectKafka(config.kafka, `spanmeter-${NAME}`, logger)
  const partitions = await requirePartitions(kafka, spanAggregates.name)
  const deliveryPartitions = await requirePartitions(kafka, alertDeliveries.name)
  await requirePartitions(kafka, observations.name)
  const writer = await kafka.openWriter()
  const loop = { kafka, fetch: FETCH, repeats: REPEATS, logger, onFatal }
  const observer = observeLoops(metrics)
  let { rules } = config
  const { metricsLabels: labels, metricsMaxSeries: maxSeries } = config
  const llm = createLlmMetrics({ labels, maxSeries })
  metrics.addText(llm.text)
  const evaluate = await openEvaluation(context, kafka, writer)
  // From the back to the front: a new channel is told of what comes once it is there.
  const notifiers = await startNotifiers(
    { kafka, writer, deliveryPartitions, logger, metrics, onFatal },
    config.channels,
  )
  const evaluators = await runRecordLoop({
    ...loop,
    ...readers.evaluate,
    stage: evaluate,
    observer: observer(spanAggregates.name),
  })
  const aggregators = await startAggregators({
    ...loop,
    writer,
    partitions,
    observer,
    metrics,
    llm,
    idleMs: config.idleMs,
    rules: () => rules,
  })
  const observed = observerOptions({
    kafka,
    writer,
    partitions,
    evaluators: () => evaluate.evaluators(),
  })
  const observing = repeatEvery(OBSERVE_EVERY_MS, logger, () =>
    observe(
      observed,
      rules.series.filter(({ source }) => source === 'system'),
    ),
  )
  const watching = watchFiles(config.watched, logger)
  return {
    reload(changed) {
      rules = changed.rules
      evaluate.configure(rules)
      notifiers.reload(changed.channels)
    },
    async stop() {
      watching.stop()
      await observing.stop()
      await aggregators.stop()
      await evaluators.stop()
      await notifiers.stop()
      await writer.close()
      await kafka.close()
    },
  }
}

function observerOptions(
  found: Pick<ObserverOptions, 'kafka' | 'writer' | 'partitions' | 'evaluators'>,
): ObserverOptions {
  const worker = `${NAME}@${hostname()}/${process.pid}`
  return { ...found, worker, overflowed: new WeakMap<Evaluator, number>(), now: Date.now }
}

async function openEvaluation(
  { config, logger, metrics }: ServiceContext<AlertConfig>,
  kafka: Kafka,
  writer: RecordWriter,
): Promise<EvaluateStage> {
  const alertPartitions = await requirePartitions(kafka, alerts.name)
  await requirePartitions(kafka, alertState.name)
  const onUnreadable = (partition: number, offset: bigint) =>
    logger.error({ partition, offset: String(offset) }, 'A record of alert.state cannot be read.')
  const stage: EvaluateStage = createEvaluateStage(
    {
      evaluator: { idleMs: config.idleMs, grafanaUrl: config.grafanaUrl },
      stateLog: createStateLog(kafka, writer, onUnreadable),
      writer,
      alertPartitions,
      maxChunkBytes: MAX_CHUNK_BYTES,
      logger,
      ...observeAlerts(metrics, () => stage.evaluators()),
    },
    config.rules,
  )
  return stage
}
