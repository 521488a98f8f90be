import { batchBody, type Codec, newestBatch } from '#schemas/codec.ts'
import { readBlock } from '#schemas/batch.ts'
import { AvroWriter } from '#schemas/wire.ts'

/** Any 16 bytes mark the end of a block; the same always, so that a file made again is the same. */
const SYNC = Buffer.from('spanmeter-blocks', 'latin1')

/**
 * Frames batches as one Avro object container file (Avro specification, "Object Container Files")
 * without decoding or copying an item: a batch's one block is just what a block of such a file holds.
 * Gives the file in parts, in order. Batches of an older schema are brought to the newest. Throws
 * BatchError or WireError for bytes that are no batch.
 */
export function containerFile<T>(codec: Codec<T>, batches: readonly Buffer[]): readonly Buffer[] {
  const parts = [fileHeader(codec.schemaOf(codec.fingerprint) ?? '')]
  for (const batch of batches) {
    const body = batchBody(newestBatch(codec, batch))
    const { count, start, end } = readBlock(body)
    if (count === 0) continue
    const prefix = new AvroWriter(16)
    prefix.long(count)
    prefix.long(end - start)
    parts.push(written(prefix), body.subarray(start, end), SYNC)
  }
  return parts
}

function fileHeader(schema: string): Buffer {
  const out = new AvroWriter(schema.length + 64)
  out.raw(Buffer.from('Obj\u0001', 'latin1'), 0, 4)
  out.long(2)
  out.string('avro.schema')
  out.string(schema)
  out.string('avro.codec')
  out.string('null')
  out.long(0)
  out.raw(SYNC, 0, SYNC.length)
  return written(out)
}

function written(writer: AvroWriter): Buffer {
  return writer.buffer.subarray(0, writer.length)
}
