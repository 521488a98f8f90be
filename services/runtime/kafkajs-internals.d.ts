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

declare module 'kafkajs/src/consumer/offsetManager/index.js' {
  interface TopicPartition {
    topic: string
    partition: number
  }
  interface OffsetManager {
    cluster: {
      /** Finds offsets by time: from the beginning, where that is asked for. */
      fetchTopicsOffset(
        topics: readonly {
          topic: string
          partitions: readonly { partition: number }[]
          fromBeginning: boolean
        }[],
      ): Promise<readonly { topic: string; partitions: readonly { offset: string }[] }[]>
    }
    /** Takes note that everything up to an offset is done with: the next fetch starts behind it. */
    resolveOffset(at: TopicPartition & { offset: string }): void
    /** Called for a fetch from an offset that the partition does not have. */
    setDefaultOffset(at: TopicPartition): Promise<void>
  }
  const offsetManager: { readonly prototype: OffsetManager }
  export default offsetManager
}

declare module 'kafkajs/src/cluster/index.js' {
  interface Cluster {
    /** Finds the broker that leads a group. Throws KafkaJSGroupCoordinatorNotFound where none answers. */
    findGroupCoordinatorMetadata: (this: Cluster, group: { groupId: string }) => Promise<unknown>
  }
  const cluster: { readonly prototype: Cluster }
  export default cluster
}
