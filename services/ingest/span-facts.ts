import { type AnyValue, anyValueText, EMPTY, readAnyValue, readKeyValue } from './any-value.ts'
import type { Facts } from './conditions.ts'
import { ABSENT } from './field-slots.ts'
import type { ProtoReader } from './otlp-reader.ts'
import type { SpanDraft } from './span-draft.ts'

/** Answers what conditions ask, about the span that the draft holds. */
export function createFacts(draft: SpanDraft, reader: ProtoReader): Facts {
  return {
    attribute(key) {
      const index = draft.find(reader.buffer, Buffer.from(key))
      return index < 0 ? undefined : draft.textOf(reader, index)
    },
    resource: (key) => resourceText(draft, reader, key),
    field(name) {
      const field = draft.dialects.fields.findIndex((candidate) => candidate.name === name)
      const { slots } = draft
      if (field < 0 || slots.place[field] === ABSENT) return undefined
      const number = slots.numberOf(field)
      return number === null ? slots.textOf(field, reader) : String(number)
    },
    scopeName: draft.scopeName,
    scopeVersion: draft.scopeVersion,
  }
}

function resourceText(draft: SpanDraft, reader: ProtoReader, key: string): string | undefined {
  const ranges = draft.resourceRanges
  const entry = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 }
  const value: AnyValue = { type: EMPTY, start: 0, end: 0, number: 0 }
  for (let i = 0; i < ranges.length; i += 2) {
    readKeyValue(reader, ranges[i] ?? 0, ranges[i + 1] ?? 0, entry)
    if (reader.buffer.toString('utf8', entry.keyStart, entry.keyEnd) !== key) continue
    readAnyValue(reader, entry.valueStart, entry.valueEnd, value)
    return anyValueText(reader, value)
  }
  return undefined
}
