import { type AvroWriter, halves } from '#schemas/wire.ts'
import type { CostSheet } from './cost-sheet.ts'
import { flagsOf, type Price, type Settlement } from './price-call.ts'
import type { Quote } from './quotes.ts'

/** Below this length a loop copies faster than a native call. */
const SHORT_COPY_BYTES = 48

/** Writes the fields of enriched-span.avsc from cost_pico_usd to cost_parts. */
export function writePrice(
  out: AvroWriter,
  quote: Quote,
  result: Settlement,
  sheet: CostSheet,
): void {
  if (result.status !== 'priced') return writeNoCost(out, result.status, quote, result)
  out.long(1)
  const { exact } = sheet
  if (exact === undefined) out.long(sheet.total)
  else writeLong(out, exact.total)
  if (result.flag === '') copy(out, quote.pricedBytes)
  else writeTerms(out, result.status, quote, flagsOf(quote, result))
  out.string(partsText(sheet))
}

/** As renderParts, from the sheet. */
function partsText({ rates, partUnits, costs, exact, count }: CostSheet): string {
  let text = ''
  for (let i = 0; i < count; i++) {
    const rate = rates[i]
    if (rate === undefined) throw new RangeError('a part has a rate')
    const cost = exact === undefined ? costs[i] : exact.costs[i]
    text += `${i === 0 ? '[' : ','}${rate.opening}${partUnits[i]}${rate.middle}${cost}]`
  }
  return text === '' ? '' : `${text}]`
}

/** Writes the same fields of what is never priced: steps that call no model, and nested calls. */
export function writeNoPrice(out: AvroWriter, { status, model, version }: Price): void {
  out.long(0)
  writeTerms(out, status, { model, version }, [])
  out.string('')
}

function writeNoCost(out: AvroWriter, status: string, quote: Quote, result: Settlement): void {
  out.long(0)
  writeTerms(out, status, quote, flagsOf(quote, result))
  out.string('')
}

/** Fields from price_status to price_flags. */
function writeTerms(
  out: AvroWriter,
  status: string,
  { model, version }: { readonly model: string; readonly version: string },
  flags: readonly string[],
): void {
  out.string(status)
  out.string(version)
  out.string(model)
  if (flags.length > 0) out.long(flags.length)
  for (const flag of flags) out.string(flag)
  out.long(0)
}

function writeLong(out: AvroWriter, value: bigint): void {
  const { low, high } = halves(value)
  out.long64(low, high)
}

function copy(out: AvroWriter, bytes: Buffer): void {
  const { length } = bytes
  if (length >= SHORT_COPY_BYTES) return out.raw(bytes, 0, length)
  out.reserve(length)
  const { buffer, length: start } = out
  for (let i = 0; i < length; i++) buffer[start + i] = bytes[i] ?? 0
  out.length = start + length
}
