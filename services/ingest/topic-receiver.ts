import type { KafkaRecord } from '#runtime/records.ts'
import type { Outcome, Transform } from '#runtime/transform-stage.ts'
import type { Transcode } from './transcode.ts'
import { translate } from './translate.ts'

const OPEN_BRACE = 0x7b
const WHOLE_RECORD = -1

/** Turns a record of `otlp_spans` (an OTLP request, protobuf or JSON) into batches of spans. */
export function createTopicTransform(
  transcode: Transcode,
  onSpans: (via: string, spans: number) => void,
): Transform {
  return (record): Outcome => {
    const encoding = encodingOf(record)
    const translation = translate(transcode, encoding, record.value, record.timeMs)
    if (translation.type !== 'translated') {
      const { type: reason, message: detail } = translation
      const format = `otlp_${encoding}`
      return {
        values: [],
        rejected: [{ index: WHOLE_RECORD, reason, detail, format, payload: record.value }],
      }
    }
    onSpans('otlp_spans', translation.spans)
    return { values: translation.batches, rejected: translation.rejected }
  }
}

/** A protobuf request never starts with a brace: it would be field 15 of a type long deprecated. */
function encodingOf({ value, headers }: KafkaRecord): 'proto' | 'json' {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  if (type !== undefined && type.startsWith('application/json')) return 'json'
  return value[0] === OPEN_BRACE ? 'json' : 'proto'
}
