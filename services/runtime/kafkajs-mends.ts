import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import offsetManager from 'kafkajs/src/consumer/offsetManager/index.js'
import kafkajsCluster from 'kafkajs/src/cluster/index.js'
import requestQueue from 'kafkajs/src/network/requestQueue/index.js'
import kafkajsEncoder, { type Encoder } from 'kafkajs/src/protocol/encoder.js'

/**
 * What kafkajs 2.2, which is no longer maintained, needs on a current Node: called once, before a
 * client is made. It touches five places, each measured or known from kafkajs's own issues.
 */
export function mendKafkaJs(): void {
  mendTimer()
  mendEncoder()
  mendOutOfRange()
  addZstd()
  mendCoordinator()
}

const CHECK_PENDING_MS = 10

/**
 * kafkajs re-arms a timer every millisecond, with a negative delay that Node 24 warns of, even when no
 * request waits (its issues 1751 and 1768). Here it is armed only when one does.
 */
function mendTimer(): void {
  requestQueue.prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return
    const delay = Math.max(this.throttledUntil - Date.now(), CHECK_PENDING_MS)
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    }, delay)
  }
}

const LARGE_BYTES = 1_024
const TAIL_BYTES = 64

/** What an encoder has written before its current `buf`. */
interface Written {
  parts: Buffer[]
  bytes: number
}

/**
 * A message passes through six nested encoders on its way out, and kafkajs copies it in each, into
 * buffers that double and are zeroed: a third of a worker's time, garbage collection included. Here
 * large pieces are kept as they are and joined once.
 */
function mendEncoder(): void {
  const { prototype } = kafkajsEncoder
  const written = new WeakMap<Encoder, Written>()

  const flush = (encoder: Encoder): Written => {
    const state = written.get(encoder) ?? { parts: [], bytes: 0 }
    written.set(encoder, state)
    if (encoder.offset > 0) {
      state.parts.push(encoder.buf.subarray(0, encoder.offset))
      state.bytes += encoder.offset
      encoder.buf = Buffer.allocUnsafe(TAIL_BYTES)
      encoder.offset = 0
    }
    return state
  }

  prototype.writeBufferInternal = function (buffer) {
    if (buffer.length < LARGE_BYTES) {
      this.ensureAvailable(buffer.length)
      this.offset += buffer.copy(this.buf, this.offset)
      return
    }
    const state = flush(this)
    state.parts.push(buffer)
    state.bytes += buffer.length
  }

  prototype.writeEncoder = function (value) {
    const inner = written.get(value)
    for (const part of inner?.parts ?? []) this.writeBufferInternal(part)
    if (value.offset > 0) this.writeBufferInternal(value.buf.subarray(0, value.offset))
    return this
  }

  prototype.writeEncoderArray = function (values) {
    for (const value of values) this.writeEncoder(value)
    return this
  }

  prototype.size = function () {
    return (written.get(this)?.bytes ?? 0) + this.offset
  }

  Object.defineProperty(prototype, 'buffer', {
    get(this: Encoder) {
      if (!written.has(this)) return this.buf.subarray(0, this.offset)
      const state = flush(this)
      if (state.parts.length > 1) state.parts = [Buffer.concat(state.parts, state.bytes)]
      return state.parts[0]
    },
  })
}

/**
 * When records are deleted that a consumer was about to read, kafkajs commits "the earliest" in the
 * group's name, and so wipes out the commit that stands, with its metadata: a reader would forget all
 * that it has seen, and read again whatever is left. Here it goes on with the first record there is,
 * and the commit stays.
 */
function mendOutOfRange(): void {
  offsetManager.prototype.setDefaultOffset = async function ({ topic, partition }) {
    const asked = [{ topic, partitions: [{ partition }], fromBeginning: true }]
    const [found] = await this.cluster.fetchTopicsOffset(asked)
    const first = found?.partitions[0]?.offset
    if (first === undefined) return
    this.resolveOffset({ topic, partition, offset: String(BigInt(first) - 1n) })
  }
}

const FAST = { [constants.ZSTD_c_compressionLevel]: 1 }
const MIN_CHUNK_BYTES = 65_536
const MAX_CHUNK_BYTES = 2 * 1_024 * 1_024

/** Room for a result of about this size in one piece, so that zlib need not join pieces. */
function roomFor(bytes: number): number {
  return Math.max(MIN_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, Math.ceil(bytes)))
}

/** kafkajs leaves this codec to its users, and Node has it. Spans shrink to about a seventh. */
function addZstd(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) =>
      Promise.resolve(
        zstdCompressSync(buffer, { params: FAST, chunkSize: roomFor(buffer.length / 4) }),
      ),
    decompress: (buffer: Buffer) =>
      Promise.resolve(zstdDecompressSync(buffer, { chunkSize: roomFor(buffer.length * 10) })),
  })
}

/**
 * Where no broker can be reached, kafkajs takes a group for one that has no coordinator, and that for
 * an error that stays: a consumer would end for good because its one broker is just starting.
 */
function mendCoordinator(): void {
  const { prototype } = kafkajsCluster
  const find = prototype.findGroupCoordinatorMetadata
  prototype.findGroupCoordinatorMetadata = async function (group) {
    try {
      return await find.call(this, group)
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSGroupCoordinatorNotFound)) throw error
      throw new kafkajs.KafkaJSError(error.message)
    }
  }
}
