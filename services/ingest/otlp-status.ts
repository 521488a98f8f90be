import { ProtoWriter } from './proto-writer.ts'

/** The two encodings that OTLP speaks. */
export type OtlpEncoding = 'proto' | 'json'

/** The numbers of google.rpc.Code that the receivers use. */
export const RPC_CODE = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** A google.rpc.Status; with `retryAfterMs` it carries a google.rpc.RetryInfo. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly retryAfterMs?: number
}

/** What an ExportTraceServiceResponse says about a request that was taken in. */
export interface ExportResult {
  readonly rejectedSpans: number
  readonly errorMessage: string
}

const RETRY_INFO_TYPE = 'type.googleapis.com/google.rpc.RetryInfo'

/** Encodes a google.rpc.Status, see googleapis/google/rpc/status.proto and error_details.proto. */
export function encodeStatus(status: RpcStatus, encoding: OtlpEncoding): Buffer {
  return encoding === 'json' ? encodeStatusAsJson(status) : encodeStatusAsProto(status)
}

/**
 * Encodes an ExportTraceServiceResponse. Full success leaves partial_success unset, as OTLP demands:
 * zero bytes of protobuf or `{}`. A message without rejected spans is a warning.
 */
export function encodeExportResponse(result: ExportResult, encoding: OtlpEncoding): Buffer {
  const { rejectedSpans, errorMessage } = result
  const isFullSuccess = rejectedSpans === 0 && errorMessage === ''
  if (encoding === 'json') {
    if (isFullSuccess) return Buffer.from('{}')
    // Proto3's JSON mapping writes 64-bit integers as strings.
    const partialSuccess = { rejectedSpans: String(rejectedSpans), errorMessage }
    return Buffer.from(JSON.stringify({ partialSuccess }))
  }
  if (isFullSuccess) return Buffer.alloc(0)
  const out = new ProtoWriter(64 + errorMessage.length)
  const partialSuccess = out.begin(1)
  if (rejectedSpans > 0) out.uint(1, rejectedSpans)
  if (errorMessage !== '') out.string(2, errorMessage)
  out.end(partialSuccess)
  return out.finish()
}

/** The value of HTTP's Retry-After for a delay: whole seconds, rounded up, at least one. */
export function retryAfterSeconds(delayMs: number): number {
  return Math.max(1, Math.ceil(delayMs / 1000))
}

function encodeStatusAsProto(status: RpcStatus): Buffer {
  const out = new ProtoWriter(128 + status.message.length)
  out.int64(1, status.code)
  if (status.message !== '') out.string(2, status.message)
  if (status.retryAfterMs !== undefined) {
    const detail = out.begin(3)
    out.string(1, RETRY_INFO_TYPE)
    const retryInfo = out.begin(2)
    const delay = splitDelay(status.retryAfterMs)
    const duration = out.begin(1)
    if (delay.seconds > 0) out.uint(1, delay.seconds)
    if (delay.nanos > 0) out.uint(2, delay.nanos)
    out.end(duration)
    out.end(retryInfo)
    out.end(detail)
  }
  return out.finish()
}

function encodeStatusAsJson(status: RpcStatus): Buffer {
  const { code, message, retryAfterMs } = status
  if (retryAfterMs === undefined) return Buffer.from(JSON.stringify({ code, message }))
  const { seconds, nanos } = splitDelay(retryAfterMs)
  const fraction = nanos === 0 ? '' : `.${String(nanos / 1_000_000).padStart(3, '0')}`
  const details = [{ '@type': RETRY_INFO_TYPE, retryDelay: `${seconds}${fraction}s` }]
  return Buffer.from(JSON.stringify({ code, message, details }))
}

/** A google.protobuf.Duration of whole milliseconds; a negative delay counts as none. */
function splitDelay(delayMs: number): { seconds: number; nanos: number } {
  const wholeMs = Math.max(0, Math.ceil(delayMs))
  return { seconds: Math.floor(wholeMs / 1000), nanos: (wholeMs % 1000) * 1_000_000 }
}
