import type { Meter } from './tenant-limits.ts'

/** Who sends a request, as its API key says. */
export interface Sender {
  /** The tenant that the API key stands for; undefined where no keys are asked for. */
  readonly tenant: string | undefined
  /** Undefined: there are no limits. */
  readonly meter?: Meter
}

/** One OTLP trace export request, decompressed, as a receiver hands it over. */
export interface OtlpRequest extends Sender {
  readonly via: 'otlp_http' | 'otlp_grpc'
  readonly encoding: 'proto' | 'json'
  readonly body: Buffer
}

/**
 * What became of a request. `accepted`: Kafka has every span that was not rejected, and the rejected
 * ones are dead letters. `malformed`: the bytes will never work. `too_large`: over a size limit.
 * `overloaded`, `unavailable` and `rate_limited`: nothing was kept, the client should send it again.
 */
export type Acceptance =
  | {
      readonly type: 'accepted'
      readonly spans: number
      readonly rejected: number
      readonly message: string
    }
  | { readonly type: 'malformed'; readonly message: string }
  | { readonly type: 'too_large'; readonly message: string }
  | {
      readonly type: 'overloaded' | 'unavailable' | 'rate_limited'
      readonly message: string
      readonly retryAfterMs: number
    }

/** Takes a request in; resolves when it is durable or refused, and never rejects for bad input. */
export type Accept = (request: OtlpRequest) => Promise<Acceptance>
