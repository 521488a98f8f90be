import type { EachBatchPayload, IHeaders } from 'kafkajs'
import type { KafkaRecord } from './records.ts'

/** A message of kafkajs as a record of ours. */
export function toRecord(message: EachBatchPayload['batch']['messages'][number]): KafkaRecord {
  return {
    offset: BigInt(message.offset),
    timeMs: Number(message.timestamp),
    value: message.value ?? Buffer.alloc(0),
    headers: toHeaders(message.headers),
  }
}

function toHeaders(headers: IHeaders | undefined): Readonly<Record<string, string>> {
  const text: Record<string, string> = {}
  for (const [key, value] of Object.entries(headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value
    if (first !== undefined) text[key] = first.toString()
  }
  return text
}
