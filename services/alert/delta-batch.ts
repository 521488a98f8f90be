import { BatchWriter, readBlock } from '#schemas/batch.ts'
import { batchBody, batchHeader, newestBatch } from '#schemas/codec.ts'
import { spanAggregates } from '#schemas/topics.ts'
import { AvroReader, type AvroWriter, WireError } from '#schemas/wire.ts'
import type { Delta } from './series.ts'

const DOUBLE_BYTES = 8

/** Deltas as one batch of aggregate.avsc: a batch, too, where there are none. */
export function encodeDeltas(deltas: readonly Delta[]): Buffer {
  const batch = new BatchWriter(batchHeader(spanAggregates.codec.fingerprint))
  for (const delta of deltas) writeDelta(delta, batch.items)
  batch.count = deltas.length
  return batch.finish()
}

function writeDelta(delta: Delta, out: AvroWriter): void {
  out.string(delta.series)
  out.string(delta.group)
  out.long(delta.bucket)
  out.long(delta.count)
  out.long(delta.bad)
  out.long(delta.high)
  out.long(delta.low)
  if (delta.bins.length > 0) out.long(delta.bins.length)
  for (const number of delta.bins) out.long(number)
  out.long(0)
  out.string(delta.traceId)
  out.double(delta.traceValue)
}

/**
 * Hands over the deltas of a batch in their order, once all of them are read. Throws BatchError or
 * WireError for what is no batch of them, and then has handed over none.
 */
export function readDeltas(batch: Buffer, onDelta: (delta: Delta) => void): void {
  const body = batchBody(newestBatch(spanAggregates.codec, batch))
  const { count, start, end } = readBlock(body)
  const reader = new AvroReader(body, start)
  const deltas: Delta[] = []
  for (let i = 0; i < count; i++) deltas.push(readDelta(reader))
  if (reader.position !== end) throw new WireError('the batch is not as long as its deltas')
  deltas.forEach(onDelta)
}

function readDelta(reader: AvroReader): Delta {
  return {
    series: reader.string(),
    group: reader.string(),
    bucket: readWhole(reader),
    count: readWhole(reader),
    bad: readWhole(reader),
    high: readWhole(reader),
    low: readWhole(reader),
    bins: readBins(reader),
    traceId: reader.string(),
    traceValue: readDouble(reader),
  }
}

/** A long that a double holds: none here is written that it does not. */
function readWhole(reader: AvroReader): number {
  const value = reader.long()
  if (!Number.isSafeInteger(value)) throw new WireError('a number of a delta is beyond 2^53')
  return value
}

function readBins(reader: AvroReader): readonly number[] {
  const bins: number[] = []
  for (let count = reader.long(); count !== 0; count = reader.long()) {
    if (count < 0) throw new WireError('bins are blocks without their sizes')
    for (let i = 0; i < count; i++) bins.push(readWhole(reader))
  }
  if (bins.length % 2 !== 0) throw new WireError('bins are pairs of an index and a count')
  return bins
}

function readDouble(reader: AvroReader): number {
  const { position } = reader
  reader.skipBytes(DOUBLE_BYTES)
  return reader.buffer.readDoubleLE(position)
}
