/** One OTLP trace export request, decompressed, as a receiver hands it over. */
export interface OtlpRequest {
  readonly via: 'otlp_http' | 'otlp_grpc'
  readonly encoding: 'proto' | 'json'
  readonly body: Buffer
}

/**
 * What became of a request. `accepted`: Kafka has every span that was not rejected, and the rejected
 * ones are dead letters. `malformed`: the bytes will never work. `too_large`: over a size limit.
 * `overloaded` and `unavailable`: nothing was kept, the client should send it again.
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
      readonly type: 'overloaded' | 'unavailable'
      readonly message: string
      readonly retryAfterMs: number
    }

/** Takes a request in; resolves when it is durable or refused, and never rejects for bad input. */
export type Accept = (request: OtlpRequest) => Promise<Acceptance>
