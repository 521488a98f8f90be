const MIB = 1024 * 1024

/** How workers fetch: soon where little comes, much at once where a lot waits. */
export const FETCH = { minBytes: 1, maxWaitMs: 250, maxBytesPerPartition: MIB } as const

/** A request that a client sends again within this time counts once. */
export const REPEATS = { horizonMs: 10 * 60_000, maxRequests: 1_000_000 } as const

/** Bytes of records that are handled, and committed, as one. */
export const MAX_CHUNK_BYTES = 4 * MIB
