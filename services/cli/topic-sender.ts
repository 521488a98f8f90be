import { type CommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { otlpSpans } from '#schemas/topics.ts'
import type { OtlpSender } from './replay/send.ts'

/** Writes OTLP requests to the topic otlp_spans, over its partitions in turn. */
export async function openTopicSender(
  { kafka: config }: CommonConfig,
  logger: Logger,
): Promise<OtlpSender> {
  const kafka = connectKafka(config, 'spanmeter-replay', logger)
  const partitions = await requirePartitions(kafka, otlpSpans.name)
  const writer = await kafka.openWriter()
  let next = 0
  return {
    async send(bodies) {
      const records = bodies.map((body) => ({
        partition: next++ % partitions,
        key: null,
        value: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        headers: {},
      }))
      await writer.write(otlpSpans.name, records)
    },
    async close() {
      await writer.close()
      await kafka.close()
    },
  }
}
