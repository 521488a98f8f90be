import { randomBytes } from 'node:crypto'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { otlpSpans } from '#schemas/topics.ts'
import { writeAnnotation } from '../../services/cli/annotations.ts'
import { otlpRequest } from '../support/otlp-proto.ts'
import { silent, type TestStack, until } from '../support/stack.ts'

const DEADLINE_MS = 60_000

/**
 * What panels show that the sample has nothing of: a record that cannot be read, a call whose provider
 * told its cost, an annotation. Resolves when all of it can be queried, observations and deliveries too.
 */
export async function sendWhatTheSampleLacks(stack: TestStack, tenant: string): Promise<void> {
  const { clickhouse } = stack
  await sendGarbage(stack)
  await sendReportedCost(stack, tenant)
  await writeAnnotation(clickhouse, {
    id: 'sample-deploy',
    kind: 'deploy',
    time: new Date(Date.now() - 60_000).toISOString(),
    endTime: null,
    tenant,
    environment: 'production',
    title: 'assistant-api 1.4.2',
    text: 'A new prompt for support-chat',
    tags: {},
    author: 'test',
  })
  const tables = ['dead_letters', 'cost_drift', 'annotations', 'observations', 'alert_deliveries']
  for (const table of tables) {
    await until(
      `rows of ${table}`,
      DEADLINE_MS,
      () => clickhouse.query(`SELECT 1 FROM ${table} LIMIT 1`),
      (rows) => rows.length > 0,
    )
  }
}

async function sendGarbage({ env }: TestStack): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'test', silent)
  const writer = await kafka.openWriter()
  const value = Buffer.from('no OTLP at all')
  await writer.write(otlpSpans.name, [{ partition: 0, key: null, value, headers: {} }])
  await writer.close()
  await kafka.close()
}

async function sendReportedCost({ httpPort }: TestStack, tenant: string): Promise<void> {
  const end = BigInt(Date.now()) * 1_000_000n
  const body = otlpRequest({
    resource: [['service.name', 'shop']],
    spans: [
      {
        name: 'chat gpt-4o',
        traceId: randomBytes(16),
        spanId: randomBytes(8),
        start: end - 500_000_000n,
        end,
        attributes: [
          ['gen_ai.operation.name', 'chat'],
          ['gen_ai.provider.name', 'openai'],
          ['gen_ai.request.model', 'gpt-4o'],
          ['gen_ai.usage.input_tokens', 1_000],
          ['gen_ai.usage.output_tokens', 100],
          ['gen_ai.usage.cost', 0.005],
          ['tenant.id', tenant],
        ],
      },
    ],
  })
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(body),
  })
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
}
