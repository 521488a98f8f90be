import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status as GrpcCode,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import type { Sender } from './accept.ts'
import { admitAll, type Admission, type Admit, type RefusalReason } from './api-keys.ts'
import { type GrpcFailure, toServerStatus } from './grpc-status.ts'
import { keyIn } from './http-admission.ts'
import {
  type ByteBudget,
  createByteBudget,
  OVERLOAD_RETRY_MS,
  type ReceiverLimits,
} from './receiver-limits.ts'

/** What stands before the calls of a gRPC server. */
export interface GrpcGate {
  readonly interceptor: ServerInterceptor
  /** Who sent the call with this metadata, which came through the gate. */
  readonly senderOf: (metadata: Metadata) => Sender
}

export interface GrpcGateOptions {
  readonly limits: ReceiverLimits
  readonly admit?: Admit
  readonly budget?: ByteBudget
  readonly onRefused?: (via: string, reason: string) => void
}

const VIA = 'otlp_grpc'
const OVERLOADED: GrpcFailure = {
  code: GrpcCode.UNAVAILABLE,
  message: 'Too many requests or bytes are in progress; send the request again later',
  retryAfterMs: OVERLOAD_RETRY_MS,
}
const TOO_LATE: GrpcFailure = {
  code: GrpcCode.DEADLINE_EXCEEDED,
  message: 'The request did not arrive in time',
}
const ADMISSION_CODE: Readonly<Record<RefusalReason, GrpcCode>> = {
  no_key: GrpcCode.UNAUTHENTICATED,
  unknown_key: GrpcCode.UNAUTHENTICATED,
  expired_key: GrpcCode.UNAUTHENTICATED,
  wrong_scope: GrpcCode.PERMISSION_DENIED,
  rate_limited: GrpcCode.RESOURCE_EXHAUSTED,
  overloaded: GrpcCode.UNAVAILABLE,
}

/**
 * Makes the gate: it asks for a key before a message is read, and bounds what all calls together hold,
 * their number, the bytes of their messages until they are answered, and the time that a message may
 * take to arrive.
 */
export function createGrpcGate(options: GrpcGateOptions): GrpcGate {
  const senders = new WeakMap<Metadata, Sender>()
  return {
    interceptor: createInterceptor(options, senders),
    senderOf(metadata) {
      const sender = senders.get(metadata)
      if (sender === undefined) throw new Error('a call did not come through the gate')
      return sender
    },
  }
}

function createInterceptor(
  options: GrpcGateOptions,
  senders: WeakMap<Metadata, Sender>,
): ServerInterceptor {
  const { limits, onRefused } = options
  const budget = options.budget ?? createByteBudget(limits.maxInflightBytes)
  let calls = 0
  return (_method, call) => {
    let held = 0
    let maxBytes = Infinity
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
    const refuse = (reason: string, failure: GrpcFailure) => {
      leave()
      onRefused?.(VIA, reason)
      call.sendStatus(toServerStatus(failure))
    }
    const arrival = setTimeout(() => refuse('too_late', TOO_LATE), limits.requestTimeoutMs)
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (isOver) return
        const admission = admitCall(metadata, options.admit)
        if (admission.type === 'refused') {
          const code = ADMISSION_CODE[admission.reason]
          return refuse(admission.reason, { ...admission, code })
        }
        maxBytes = admission.maxRequestBytes ?? Infinity
        senders.set(metadata, admission.sender)
        next(metadata)
      })
      .withOnReceiveMessage((message: Buffer, next) => {
        if (isOver) return
        if (message.length > maxBytes) return refuse('too_large', tooLarge(maxBytes))
        if (!budget.tryReserve(message.length)) return refuse('overloaded', OVERLOADED)
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
    const isFull = calls > limits.maxConnections
    const responder = releasing(leave)
      .withStart((next) => (isFull ? refuse('overloaded', OVERLOADED) : next(listener)))
      .build()
    return new ServerInterceptingCall(call, responder)
  }
}

/** What a call held is free once it is answered. */
function releasing(leave: () => void): ResponderBuilder {
  return new ResponderBuilder()
    .withSendMessage((message, next) => {
      leave()
      next(message)
    })
    .withSendStatus((status, next) => {
      leave()
      next(status)
    })
}

/** Whether a call may come in; its key is not handed on. */
function admitCall(metadata: Metadata, admit: Admit = admitAll): Admission {
  const [own, ...moreOwn] = metadata.get('x-api-key')
  const [authorization, ...moreAuthorization] = metadata.get('authorization')
  metadata.remove('x-api-key')
  metadata.remove('authorization')
  // Of two keys nobody could say which one counts.
  const isOne = moreOwn.length === 0 && moreAuthorization.length === 0
  return admit(isOne ? keyIn(own?.toString(), authorization?.toString()) : undefined, 'traces')
}

function tooLarge(maxBytes: number): GrpcFailure {
  const message = `The request is over ${maxBytes} bytes; send smaller batches`
  return { code: GrpcCode.RESOURCE_EXHAUSTED, message }
}
