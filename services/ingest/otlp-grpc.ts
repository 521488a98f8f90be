import {
  Metadata,
  ResponderBuilder,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status as GrpcCode,
  type ServerInterceptor,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { encodeExportResponse, encodeStatus } from './otlp-status.ts'
import {
  createByteBudget,
  OVERLOAD_RETRY_MS,
  type ReceiverLimits,
  type ReceiverOptions,
} from './receiver-limits.ts'

/** A gRPC receiver that listens. */
export interface GrpcReceiver {
  readonly port: number
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
// The message travels in a trailer, and clients bound the size of those.
const MAX_MESSAGE_UNITS = 1_000

const REFUSAL_CODE = {
  malformed: GrpcCode.INVALID_ARGUMENT,
  too_large: GrpcCode.RESOURCE_EXHAUSTED,
  overloaded: GrpcCode.UNAVAILABLE,
  unavailable: GrpcCode.UNAVAILABLE,
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
 * RetryInfo for what may, RESOURCE_EXHAUSTED without RetryInfo, so final, for what is too large.
 * Rejects when it cannot listen.
 */
export async function startGrpcReceiver(options: GrpcReceiverOptions): Promise<GrpcReceiver> {
  const { limits, host } = options
  const server = new Server({
    interceptors: [createGate(limits)],
    'grpc.max_receive_message_length': limits.maxRequestBytes,
    'grpc.max_concurrent_streams': limits.maxConnections,
    'grpc.keepalive_time_ms': KEEP_ALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEP_ALIVE_TIMEOUT_MS,
  })
  server.addService(TRACE_SERVICE, { Export: createExport(options) })
  const address = `${host.includes(':') ? `[${host}]` : host}:${options.port}`
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { port, stop: () => stop(server) }
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

function createExport(options: ReceiverOptions): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const respond = async () => {
      const outcome = await takeTraces(options, call.request)
      if (Buffer.isBuffer(outcome)) callback(null, outcome)
      else callback(toServerStatus(outcome))
    }
    void respond()
  }
}

interface Failure {
  readonly code: GrpcCode
  readonly message: string
  readonly retryAfterMs?: number
}

/** The bytes of the response, or why there is none. Never rejects. */
async function takeTraces(
  { accept, logger }: ReceiverOptions,
  body: Buffer,
): Promise<Buffer | Failure> {
  try {
    const acceptance = await accept({ via: 'otlp_grpc', encoding: 'proto', body })
    if (acceptance.type !== 'accepted') {
      return { ...acceptance, code: REFUSAL_CODE[acceptance.type] }
    }
    const result = { rejectedSpans: acceptance.rejected, errorMessage: acceptance.message }
    return encodeExportResponse(result, 'proto')
  } catch (error) {
    logger.error({ err: error }, 'OTLP/gRPC request failed by a bug')
    return { code: GrpcCode.INTERNAL, message: 'Internal error; the log has the details' }
  }
}

/** A status as grpc-js sends it; details travel in the trailer that google.rpc defines for them. */
function toServerStatus(failure: Failure) {
  // A lone surrogate would make the encoding of the trailer throw.
  const message = failure.message.slice(0, MAX_MESSAGE_UNITS).toWellFormed()
  const metadata = new Metadata()
  if (failure.retryAfterMs !== undefined) {
    metadata.set('grpc-status-details-bin', encodeStatus({ ...failure, message }, 'proto'))
  }
  return { code: failure.code, details: message, metadata }
}

/**
 * Bounds what all calls together hold: their number, the bytes of their messages until they are
 * answered, and the time that a message may take to arrive.
 */
function createGate(limits: ReceiverLimits): ServerInterceptor {
  const budget = createByteBudget(limits.maxInflightBytes)
  let calls = 0
  return (_method, call) => {
    let held = 0
    let isOver = false
    let isTaken = false
    calls += 1
    const leave = () => {
      if (isOver) return
      isOver = true
      calls -= 1
      budget.release(held)
      clearTimeout(arrival)
    }
    const refuse = (failure: Failure) => {
      leave()
      call.sendStatus(toServerStatus(failure))
    }
    const arrival = setTimeout(() => {
      const message = 'The request did not arrive in time'
      refuse({ code: GrpcCode.DEADLINE_EXCEEDED, message })
    }, limits.requestTimeoutMs)
    const listener = new ServerListenerBuilder()
      .withOnReceiveMessage((message: Buffer, next) => {
        if (isOver) return
        if (!budget.tryReserve(message.length)) return refuse(OVERLOADED)
        held += message.length
        next(message)
      })
      .withOnReceiveHalfClose((next) => {
        clearTimeout(arrival)
        if (isOver) return
        isTaken = true
        next()
      })
      // A message that was handed on is held until its answer, also when nobody waits for that.
      .withOnCancel(() => {
        if (!isTaken) leave()
      })
      .build()
    const responder = new ResponderBuilder()
      .withStart((next) => (calls > limits.maxConnections ? refuse(OVERLOADED) : next(listener)))
      .withSendMessage((message, next) => {
        leave()
        next(message)
      })
      .withSendStatus((status, next) => {
        leave()
        next(status)
      })
      .build()
    return new ServerInterceptingCall(call, responder)
  }
}

const OVERLOADED: Failure = {
  code: GrpcCode.UNAVAILABLE,
  message: 'Too many requests or bytes are in progress; send the request again later',
  retryAfterMs: OVERLOAD_RETRY_MS,
}
