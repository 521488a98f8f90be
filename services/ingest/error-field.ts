import { fieldIndex } from './dialects.ts'
import type { ErrorTypes } from './error-types.ts'
import { ABSENT } from './field-slots.ts'
import type { ProtoReader } from './otlp-reader.ts'
import type { OtlpSpan } from './otlp-span.ts'
import { parseJson } from './source-values.ts'
import type { SpanDraft } from './span-draft.ts'
import { readExceptions } from './span-parts.ts'

const STATUS_ERROR = 2
/** Attributes of a failed span that may tell why, beside those that fill fields. */
const CODE_KEYS = ['error.code', 'rpc.grpc.status_code', 'gen_ai.response.finish_reasons'].map(
  (key) => Buffer.from(key),
)

/** The type of a span's error; empty where it has none. */
export type FindError = (reader: ProtoReader, span: OtlpSpan) => string

/** Makes the step that tells what kind of error a span had, from all that it tells of it. */
export function createErrorFinder(draft: SpanDraft, errors: ErrorTypes): FindError {
  const { slots, dialects } = draft
  const code = fieldIndex(dialects, 'error_code')
  const status = fieldIndex(dialects, 'http_status')
  return (reader, span) => {
    if (span.status !== STATUS_ERROR && slots.place[code] === ABSENT) return ''
    const exceptions = readExceptions(reader, span.events)
    const { start, end } = span.statusMessage
    const messages = [reader.buffer.toString('utf8', start, end), ...exceptions.messages]
    return errors.classify({
      errorType: slots.textOf(code, reader),
      httpStatus: slots.numberOf(status) ?? undefined,
      codes: [...exceptions.types, ...otherCodes(draft, reader)],
      message: messages.filter((message) => message !== '').join('\n'),
    })
  }
}

function otherCodes(draft: SpanDraft, reader: ProtoReader): readonly string[] {
  return CODE_KEYS.flatMap((key) => {
    const index = draft.find(reader.buffer, key)
    if (index < 0) return []
    const text = draft.textOf(reader, index)
    const json = text.startsWith('[') ? parseJson(text) : undefined
    return Array.isArray(json) ? json.map(String) : [text]
  })
}
