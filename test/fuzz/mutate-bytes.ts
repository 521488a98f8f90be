import type { Random } from '../alert/random.ts'

/** Bytes that lie at the edges of what encodings mean by them. */
const EDGES = [
  0x00, 0x01, 0x7f, 0x80, 0x81, 0xc0, 0xed, 0xf4, 0xfe, 0xff, 0x22, 0x5c, 0x7b, 0x5b,
] as const
/** Varints, UTF-8 and text that decoders have stumbled over. */
const PIECES = [
  Buffer.from('ffffffffffffffffff01', 'hex'),
  Buffer.from('ffffffffffffffffffff', 'hex'),
  Buffer.from('ffffffff0f', 'hex'),
  Buffer.from('8080808010', 'hex'),
  Buffer.from('eda080', 'hex'),
  Buffer.from('c0afe28080', 'hex'),
  Buffer.from('\\u0000'),
  Buffer.from('1e999'),
  Buffer.from('\ufeff'),
] as const

/** Changes a few bytes, wherever they lie. */
export function mutateBytes(input: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(input)
  for (let times = random.whole(1, 4); times > 0; times--) bytes = changeOnce(bytes, random)
  return bytes
}

function changeOnce(bytes: Buffer<ArrayBuffer>, random: Random): Buffer<ArrayBuffer> {
  const at = random.whole(0, bytes.length)
  const to = Math.min(bytes.length, at + random.whole(1, 16))
  const kind = random.whole(0, 6)
  if (kind === 0) return bytes.subarray(0, at)
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
  if (kind === 2) return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
  if (kind === 3)
    return Buffer.concat([bytes.subarray(0, at), random.pick(PIECES), bytes.subarray(at)])
  if (at === bytes.length) return bytes
  if (kind === 4) bytes[at] = random.pick(EDGES)
  else if (kind === 5) bytes[at] = random.whole(0, 255)
  else bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(0, 7))
  return bytes
}
