import { type Convention, type Counts, type Settled, settleCounts } from './accounting.ts'
import type { Facts } from './conditions.ts'
import { type AccountingRule, type Dialects, fieldIndex } from './dialects.ts'
import { ABSENT, type FieldSlots, NO_ATTRIBUTE, WORKED_OUT } from './field-slots.ts'
import type { ProtoReader } from './otlp-reader.ts'
import { FILLS_FIELD, type SpanDraft } from './span-draft.ts'

/** Providers whose own API counts cached tokens beside the input; so do Claude's models elsewhere. */
const EXCLUSIVE_APIS = new Set(['anthropic', 'aws.bedrock'])
const EXCLUSIVE_MODELS = 'claude'

/** Settles the token counts of the span in the draft; undefined where it tells none. */
export type SettleUsage = (reader: ProtoReader, facts: () => Facts) => Settled | undefined

/** Makes the step that brings a span's token counts into one form. */
export function createUsageSettler(draft: SpanDraft): SettleUsage {
  const { slots, dialects } = draft
  const at = tokenFields(dialects)
  const parts = Object.values(at).filter((field) => field !== at.input && field !== at.output)
  return (reader, facts) => {
    const conventions = rulesOf(draft, at.input).length + rulesOf(draft, at.output).length
    const isAsStands = conventions === 0 && draft.ruleBits === 0
    if (isAsStands && !tellsParts(slots, parts)) return undefined
    settleWrites(draft, at)
    if (isAsStands && isPossible(slots, at)) return undefined
    const settled = settleCounts(readCounts(draft, at), {
      convention: findConvention(draft, at, facts),
      isExclusiveApi: isExclusive(draft, reader, at),
    })
    if (settled.rule !== '') {
      if (settled.input !== null) slots.setNumber(at.input, settled.input)
      if (settled.output !== null) slots.setNumber(at.output, settled.output)
    }
    return settled
  }
}

function tellsParts({ place }: FieldSlots, parts: readonly number[]): boolean {
  for (let i = 0; i < parts.length; i++) if (place[parts[i] ?? 0] !== ABSENT) return true
  return false
}

/** Whether every part fits into its whole, and the total, where it is told, is that of the two: nothing is to settle. */
function isPossible(slots: FieldSlots, at: TokenFields): boolean {
  const input = countIn(slots, at.input)
  const output = countIn(slots, at.output)
  const cached =
    countIn(slots, at.cacheRead) + countIn(slots, at.cacheWrite5m) + countIn(slots, at.cacheWrite1h)
  const isTotalTold = slots.place[at.total] !== ABSENT
  return (
    (!isTotalTold || countIn(slots, at.total) === input + output) &&
    cached <= input &&
    countIn(slots, at.inputAudio) <= input &&
    countIn(slots, at.inputImage) <= input &&
    countIn(slots, at.reasoning) <= output &&
    countIn(slots, at.outputAudio) <= output &&
    countIn(slots, at.outputImage) <= output
  )
}

function countIn({ place, number }: FieldSlots, field: number): number {
  return place[field] === ABSENT ? 0 : (number[field] ?? 0)
}

const NO_RULES: readonly AccountingRule[] = []

type TokenFields = ReturnType<typeof tokenFields>

function tokenFields(dialects: Dialects) {
  return {
    input: fieldIndex(dialects, 'input_tokens'),
    output: fieldIndex(dialects, 'output_tokens'),
    cacheRead: fieldIndex(dialects, 'cache_read_tokens'),
    cacheWrite: fieldIndex(dialects, 'cache_write_tokens'),
    cacheWrite5m: fieldIndex(dialects, 'cache_write_5m_tokens'),
    cacheWrite1h: fieldIndex(dialects, 'cache_write_1h_tokens'),
    inputAudio: fieldIndex(dialects, 'input_audio_tokens'),
    inputImage: fieldIndex(dialects, 'input_image_tokens'),
    reasoning: fieldIndex(dialects, 'reasoning_tokens'),
    outputAudio: fieldIndex(dialects, 'output_audio_tokens'),
    outputImage: fieldIndex(dialects, 'output_image_tokens'),
    total: fieldIndex(dialects, 'total_tokens'),
  }
}

/** Writes for a time not told count as writes for five minutes: what is left of all writes. */
function settleWrites(draft: SpanDraft, at: TokenFields): void {
  const { slots } = draft
  const all = slots.numberOf(at.cacheWrite)
  if (all === null || slots.numberOf(at.cacheWrite5m) !== null) return
  const rest = all - (slots.numberOf(at.cacheWrite1h) ?? 0)
  slots.fillNumber(at.cacheWrite5m, WORKED_OUT, Math.max(0, rest))
  const attribute = slots.filledBy[at.cacheWrite] ?? NO_ATTRIBUTE
  if (attribute >= 0 && rest === all) draft.fate[attribute] = FILLS_FIELD
}

function readCounts({ slots }: SpanDraft, at: TokenFields): Counts {
  return {
    input: slots.numberOf(at.input),
    output: slots.numberOf(at.output),
    cacheRead: slots.numberOf(at.cacheRead),
    cacheWrite5m: slots.numberOf(at.cacheWrite5m),
    cacheWrite1h: slots.numberOf(at.cacheWrite1h),
    inputAudio: slots.numberOf(at.inputAudio),
    inputImage: slots.numberOf(at.inputImage),
    reasoning: slots.numberOf(at.reasoning),
    outputAudio: slots.numberOf(at.outputAudio),
    outputImage: slots.numberOf(at.outputImage),
    total: slots.numberOf(at.total),
  }
}

/** The accounting rules of the dialect that told a field. */
function rulesOf({ slots, dialects }: SpanDraft, field: number) {
  if (slots.place[field] === ABSENT) return NO_RULES
  return dialects.sources[field]?.[slots.rank[field] ?? 0]?.accounting ?? NO_RULES
}

/** Input and output may come from two dialects, each with a convention of its own. */
function findConvention(
  draft: SpanDraft,
  at: TokenFields,
  facts: () => Facts,
): Convention | undefined {
  const conditional = draft.dialects.conditionalRules.find(
    ({ holds }, bit) => (draft.ruleBits & (1 << bit)) !== 0 && holds(facts()),
  )
  if (conditional !== undefined) return conditional
  const find = (field: number) => rulesOf(draft, field).find(({ holds }) => holds(facts()))
  const input = find(at.input)
  const output = find(at.output)
  if (input === output || output === undefined) return input
  return {
    name: (input ?? output).name,
    inputExcludes: input?.inputExcludes ?? [],
    outputExcludes: output.outputExcludes,
  }
}

function isExclusive(draft: SpanDraft, reader: ProtoReader, at: TokenFields): boolean {
  // Only a cache larger than the input makes it matter.
  if (
    (draft.slots.numberOf(at.cacheRead) ?? 0) + (draft.slots.numberOf(at.cacheWrite5m) ?? 0) ===
    0
  ) {
    return false
  }
  const text = (name: string) => draft.slots.textOf(fieldIndex(draft.dialects, name), reader)
  return (
    EXCLUSIVE_APIS.has(text('provider')) ||
    `${text('response_model')} ${text('request_model')}`.includes(EXCLUSIVE_MODELS)
  )
}
