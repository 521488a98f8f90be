import type { Facts } from './conditions.ts'
import { NOT_FILLED } from './field-slots.ts'
import type { ProtoReader } from './otlp-reader.ts'
import type { OtlpSpan } from './otlp-span.ts'
import { parseJson, readSource } from './source-values.ts'
import type { SpanDraft } from './span-draft.ts'

const TWO_32 = 4_294_967_296

/** Fills the fields whose sources had to wait for all attributes. An attribute read so remains one. */
export function fillLate(
  draft: SpanDraft,
  reader: ProtoReader,
  span: OtlpSpan,
  facts: Facts,
): void {
  const { slots } = draft
  const startNano = (BigInt(span.startHigh) << 32n) | BigInt(span.startLow)
  const parsed = new Map<number, unknown>()
  for (const { attribute, target } of draft.late) {
    const { field, rank, factor, source } = target
    if (!slots.isOpen(field, rank) || !target.holds(facts)) continue
    const text = draft.textOf(reader, attribute)
    const json = (): unknown => {
      if (!parsed.has(attribute)) parsed.set(attribute, parseJson(text))
      return parsed.get(attribute)
    }
    const value = readSource(source, text, json, startNano)
    const before = slots.fillText(field, rank, factor, value)
    if (before !== NOT_FILLED) draft.giveUp(reader, before)
    else if (value !== '' && value !== 'NaN' && draft.dialects.counts[field] === 1) {
      draft.hasInvalidCount = true
    }
  }
}

/** Fills times that events tell: theirs less the span's start. An event before the start tells nothing. */
export function fillMoments(draft: SpanDraft, span: OtlpSpan): void {
  for (const { field, rank, low, high } of draft.moments) {
    if (!draft.slots.isOpen(field, rank)) continue
    const nanos = (high - span.startHigh) * TWO_32 + (low - span.startLow)
    if (nanos >= 0) draft.slots.fillNumber(field, rank, nanos)
  }
}
