import type { Amount } from './fold-amount.ts'
import type { ValueField } from './series.ts'

/** Values of a record that series may sum; code on the hot path knows them by their place here. */
export const VALUE_FIELDS: readonly ValueField[] = [
  'cost',
  'input_tokens',
  'output_tokens',
  'tokens',
  'duration',
  'ttft',
  'score',
  'skew',
  'gauge',
]

/**
 * One record as series look at it, written over from record to record. Who counts asks for each thing
 * once at most, see FactsMemo.
 */
export interface Facts {
  /** Event time, milliseconds since the epoch, rounded down. */
  readonly eventMs: number
  /** The number, among the fold's texts, of a dimension's text; dimensions go by their number there. */
  symbol(dimension: number): number
  /** Puts a value, by its place in VALUE_FIELDS, into `amount`; false for a record without it. */
  amount(field: number, amount: Amount): boolean
  /** Trace of the record, or the empty text. */
  traceId(): string
}

/** What a series counts, as plain values: items of quiet topics, observations, rows of a back-test. */
export interface Row {
  readonly eventMs: number
  readonly traceId: string
  /** Texts of the dimensions; one that is not there is empty. Other members do not matter. */
  readonly texts: Readonly<Record<string, unknown>>
  /** Values in whole units. */
  readonly values: Readonly<Partial<Record<ValueField, number | bigint | null>>>
}
