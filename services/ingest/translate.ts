import type { Rejected } from '#runtime/dead-letters.ts'
import { DepthError } from './any-value.ts'
import { otlpJsonToProto } from './otlp-json.ts'
import { ProtoError } from './otlp-reader.ts'
import { TooLargeError, type Transcode } from './transcode.ts'

/** A request's spans as batches, or why there are none. */
export type Translation =
  | {
      readonly type: 'translated'
      readonly batches: readonly Buffer[]
      readonly spans: number
      readonly rejected: readonly Rejected[]
    }
  | { readonly type: 'malformed' | 'too_large'; readonly message: string }

/**
 * Turns an OTLP request of either encoding into batches of spans. JSON becomes protobuf first, so
 * that both give the same spans. A tenant that is given is that of every span.
 */
export function translate(
  transcode: Transcode,
  encoding: 'proto' | 'json',
  body: Buffer,
  receivedTimeMs: number,
  tenant?: string,
): Translation {
  let proto = body
  let rejectedJson: readonly Rejected[] = []
  if (encoding === 'json') {
    const converted = otlpJsonToProto(body)
    if (converted.type === 'malformed') return converted
    proto = converted.proto
    rejectedJson = converted.rejected.map((span) => ({
      ...span,
      format: 'otlp_json',
      tenant: tenant ?? '',
    }))
  }
  try {
    const { batches, spans, rejected } = transcode(proto, receivedTimeMs, tenant)
    return { type: 'translated', batches, spans, rejected: inOneOrder(rejectedJson, rejected) }
  } catch (error) {
    if (error instanceof ProtoError || error instanceof DepthError) {
      return {
        type: 'malformed',
        message: `not an OTLP ExportTraceServiceRequest: ${error.message}`,
      }
    }
    if (error instanceof TooLargeError) return { type: 'too_large', message: error.message }
    throw error
  }
}

/** Spans that were refused as JSON are missing in the protobuf: numbers there start over without them. */
function inOneOrder(json: readonly Rejected[], proto: readonly Rejected[]): readonly Rejected[] {
  const renumbered = proto.map((span) => {
    let { index } = span
    for (const before of json) if (before.index <= index) index++
    return { ...span, index }
  })
  return [...json, ...renumbered].sort((a, b) => a.index - b.index)
}
