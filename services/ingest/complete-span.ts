import type { Facts } from './conditions.ts'
import type { Conventions } from './conventions.ts'
import { fieldIndex } from './dialects.ts'
import { createErrorFinder } from './error-field.ts'
import { fillLate, fillMoments } from './late-sources.ts'
import type { ProtoReader } from './otlp-reader.ts'
import type { OtlpSpan } from './otlp-span.ts'
import { createProviderSettler } from './provider-field.ts'
import type { SpanDraft } from './span-draft.ts'
import { createFacts } from './span-facts.ts'
import { createUsageSettler } from './usage.ts'

/** What several attributes say together; written over for each span. */
export interface Completion {
  kind: string
  errorType: string
  usageRule: string
  readonly flags: string[]
}

/** Fills what hangs on several attributes, once all of a span are read; what it gives is written over by the next call. */
export type CompleteSpan = (reader: ProtoReader, span: OtlpSpan) => Completion

/** Makes the last step of reading a span, in an order that matters: accounting asks for the provider. */
export function createSpanCompleter(
  draft: SpanDraft,
  { providers, errors }: Conventions,
): CompleteSpan {
  const { slots } = draft
  const { nameKinds } = draft.dialects
  const firstToken = fieldIndex(draft.dialects, 'time_to_first_token_nano')
  const settleProvider = createProviderSettler(draft, providers)
  const settleUsage = createUsageSettler(draft)
  const findError = createErrorFinder(draft, errors)
  const completion: Completion = { kind: '', errorType: '', usageRule: '', flags: [] }
  // One closure for all spans: most of them are asked for no facts.
  let known: Facts | undefined
  let current: ProtoReader | undefined
  const facts = (): Facts => {
    if (current === undefined) throw new Error('no span is read')
    return (known ??= createFacts(draft, current))
  }
  return (reader, span) => {
    known = undefined
    current = reader
    if (draft.late.length > 0) fillLate(draft, reader, span, facts())
    if (draft.moments.length > 0) fillMoments(draft, span)
    if (nameKinds !== undefined) {
      draft.kind.noteValue(nameKinds, reader.buffer, span.name.start, span.name.end)
    }
    completion.kind = draft.kind.kind
    settleProvider(reader, completion.kind)
    const usage = settleUsage(reader, facts)
    completion.usageRule = usage?.rule ?? ''
    completion.flags.length = 0
    if (draft.hasInvalidCount) completion.flags.push('invalid_count')
    if (usage !== undefined) completion.flags.push(...usage.flags)
    if ((slots.numberOf(firstToken) ?? 0) > span.durationNano) {
      completion.flags.push('first_token_after_end')
    }
    completion.errorType = findError(reader, span)
    return completion
  }
}
