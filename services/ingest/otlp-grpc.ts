import {
  type Metadata,
  Server,
  ServerCredentials,
  status as GrpcCode,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { createGrpcGate, type GrpcGate } from './grpc-gate.ts'
import { type GrpcFailure, toServerStatus } from './grpc-status.ts'
import { encodeExportResponse } from './otlp-status.ts'
import type { ReceiverOptions } from './receiver-limits.ts'
import { GrpcTls, type ReceiverTls } from './tls.ts'

/** A gRPC receiver that listens. */
export interface GrpcReceiver {
  readonly port: number
  /** Takes new certificates for connections to come; only one that was started with some has any. */
  replaceTls(tls: ReceiverTls): void
  /** Lets calls in progress end for a while, then cuts them off. Resolves when nothing listens. */
  stop(): Promise<void>
}

/** Where a gRPC receiver listens; port 0 takes a free one. */
export interface GrpcReceiverOptions extends ReceiverOptions {
  readonly host: string
  readonly port: number
}

const STOP_GRACE_MS = 10_000
const KEEP_ALIVE_INTERVAL_MS = 60_000
const KEEP_ALIVE_TIMEOUT_MS = 20_000
// Exporters send a few calls at once; the protocol asks for no fewer than this.
const MAX_STREAMS_PER_CONNECTION = 100
const MAX_IDLE_MS = 600_000
const VIA = 'otlp_grpc'

const REFUSAL_CODE = {
  malformed: GrpcCode.INVALID_ARGUMENT,
  too_large: GrpcCode.RESOURCE_EXHAUSTED,
  overloaded: GrpcCode.UNAVAILABLE,
  unavailable: GrpcCode.UNAVAILABLE,
  rate_limited: GrpcCode.RESOURCE_EXHAUSTED,
} as const

const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

/** The one method of OTLP/gRPC for traces, with bytes in and bytes out. */
const TRACE_SERVICE: ServiceDefinition = {
  Export: {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
}

/**
 * Starts the OTLP/gRPC receiver: TraceService/Export, plain or gzip. Codes follow the OTLP
 * specification's "OTLP/gRPC" section: INVALID_ARGUMENT for what will never work, UNAVAILABLE with
 * RetryInfo for what may, RESOURCE_EXHAUSTED without RetryInfo, so final, for what is too large, and
 * with it for a sender over its limits. Who may not send is UNAUTHENTICATED or PERMISSION_DENIED.
 * Rejects when it cannot listen.
 */
export async function startGrpcReceiver(options: GrpcReceiverOptions): Promise<GrpcReceiver> {
  const { limits, host, tls } = options
  const gate = createGrpcGate(options)
  const grpcTls = tls === undefined ? undefined : new GrpcTls(tls, limits.requestTimeoutMs)
  const server = new Server({
    interceptors: [gate.interceptor],
    'grpc.max_receive_message_length': limits.maxRequestBytes,
    'grpc.max_concurrent_streams': Math.min(MAX_STREAMS_PER_CONNECTION, limits.maxConnections),
    'grpc.max_connection_idle_ms': MAX_IDLE_MS,
    'grpc.keepalive_time_ms': KEEP_ALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEP_ALIVE_TIMEOUT_MS,
  })
  server.addService(TRACE_SERVICE, { Export: createExport(options, gate) })
  const address = `${host.includes(':') ? `[${host}]` : host}:${options.port}`
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, grpcTls ?? ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { port, stop: () => stop(server), replaceTls: (next) => grpcTls?.replace(next) }
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.forceShutdown(), STOP_GRACE_MS)
    server.tryShutdown(() => {
      clearTimeout(deadline)
      resolve()
    })
  })
}

function createExport(options: ReceiverOptions, gate: GrpcGate): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const respond = async () => {
      const outcome = await takeTraces(options, gate, call)
      if (Buffer.isBuffer(outcome)) callback(null, outcome)
      else callback(toServerStatus(outcome))
    }
    void respond()
  }
}

/** The bytes of the response, or why there is none. Never rejects. */
async function takeTraces(
  { accept, logger, onRefused }: ReceiverOptions,
  { senderOf }: GrpcGate,
  { metadata, request: body }: { readonly metadata: Metadata; readonly request: Buffer },
): Promise<Buffer | GrpcFailure> {
  try {
    const acceptance = await accept({ via: VIA, encoding: 'proto', body, ...senderOf(metadata) })
    if (acceptance.type !== 'accepted') {
      onRefused?.(VIA, acceptance.type)
      return { ...acceptance, code: REFUSAL_CODE[acceptance.type] }
    }
    const result = { rejectedSpans: acceptance.rejected, errorMessage: acceptance.message }
    return encodeExportResponse(result, 'proto')
  } catch (error) {
    logger.error({ err: error }, 'OTLP/gRPC request failed by a bug')
    return { code: GrpcCode.INTERNAL, message: 'Internal error; the log has the details' }
  }
}
