/** The internals of kafkajs that kafkajs-mends.ts mends. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  interface RequestQueue {
    pending: unknown[]
    throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    checkPendingRequests(): void
    scheduleCheckPendingRequests(): void
  }
  const requestQueue: { readonly prototype: RequestQueue }
  export default requestQueue
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export interface Encoder {
    /** Bytes being written, and how many of them are. */
    buf: Buffer
    offset: number
    readonly buffer: Buffer
    ensureAvailable(bytes: number): void
    writeBufferInternal(buffer: Buffer): void
    writeEncoder(value: Encoder): Encoder
    writeEncoderArray(values: readonly Encoder[]): Encoder
    size(): number
  }
  const encoder: { readonly prototype: Encoder }
  export default encoder
}
