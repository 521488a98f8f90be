import { HOLDS_EVALUATIONS, HOLDS_HEADER, TENANT_HEADER } from '#runtime/dead-letters.ts'
import type { KafkaRecord } from '#runtime/records.ts'
import type { Outcome, Transform } from '#runtime/transform-stage.ts'
import { KEEP_ALL, type Redactor } from './redact/redactor.ts'
import type { Transcode } from './transcode.ts'
import { translate } from './translate.ts'

const OPEN_BRACE = 0x7b
const WHOLE_RECORD = -1

/** Sends a record of `otlp_spans` to the transform of what it holds: scores, or spans unless it says so. */
export function byContent(spans: Transform, evaluations: Transform): Transform {
  return (record) =>
    record.headers[HOLDS_HEADER] === HOLDS_EVALUATIONS ? evaluations(record) : spans(record)
}

/**
 * Turns a record of `otlp_spans` (an OTLP request, protobuf or JSON) into batches of spans. A header may
 * name the tenant of all of them: whoever may write to the topic is trusted with it.
 */
export function createTopicTransform(
  transcode: Transcode,
  onSpans: (via: string, spans: number) => void,
  redactor: Redactor = KEEP_ALL,
): Transform {
  return (record): Outcome => {
    const encoding = encodingOf(record)
    const tenant = record.headers[TENANT_HEADER]
    const translation = translate(transcode, encoding, record.value, record.timeMs, tenant)
    if (translation.type !== 'translated') {
      const { type: reason, message: detail } = translation
      const format = `otlp_${encoding}`
      return {
        values: [],
        rejected: redactor.redactRejected([
          {
            index: WHOLE_RECORD,
            reason,
            detail,
            format,
            payload: record.value,
            tenant: tenant ?? '',
          },
        ]),
      }
    }
    onSpans('otlp_spans', translation.spans)
    return { values: translation.batches, rejected: redactor.redactRejected(translation.rejected) }
  }
}

/** A protobuf request never starts with a brace: it would be field 15 of a type long deprecated. */
function encodingOf({ value, headers }: KafkaRecord): 'proto' | 'json' {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  if (type !== undefined && type.startsWith('application/json')) return 'json'
  return value[0] === OPEN_BRACE ? 'json' : 'proto'
}
