import { z } from 'zod'
import { evaluationIdOf } from '#runtime/evaluation-id.ts'
import type { Evaluation } from '#schemas/items.ts'
import { readEvaluationTime } from './evaluation-time.ts'

/** What is wrong with one field of an evaluation; no field: with the whole of it. */
export interface Mistake {
  readonly field: string
  readonly message: string
}

/** One evaluation as it was sent: as the topic holds it, or what is wrong with it. */
export type EvaluationReading =
  | { readonly type: 'read'; readonly evaluation: Evaluation }
  | { readonly type: 'bad'; readonly mistakes: readonly Mistake[] }

const MAX_TEXT_BYTES = 1_024
const MAX_EXPLANATION_BYTES = 64 * 1_024
/** Names of unknown fields are told up to this number, and each up to this length. */
const MAX_UNKNOWN = 10
const MAX_NAME_LENGTH = 100

const textOf = (maxBytes: number) =>
  z
    .string({ error: 'must be text' })
    .refine((text) => Buffer.byteLength(text) <= maxBytes, {
      error: `is longer than ${maxBytes} bytes`,
    })
    .default('')
const text = textOf(MAX_TEXT_BYTES)

const idOf = (digits: number) => {
  const error = `must be ${digits} hexadecimal digits, not all of them zero`
  return z
    .string({ error })
    .regex(new RegExp(`^(?!0+$)[0-9a-fA-F]{${digits}}$`), { error })
    .transform((id) => id.toLowerCase())
    .default('')
}

const SCORE = { error: 'must be a number from 0 to 1' }

/** What may be said of an evaluation: the fields of evaluation.avsc that are not ours to fill. */
const shape = z.strictObject({
  evaluation_id: text,
  trace_id: idOf(32),
  span_id: idOf(16),
  time: z
    .unknown()
    .transform((value, context) => {
      const time = readEvaluationTime(value)
      if (typeof time === 'bigint') return time
      context.issues.push({ code: 'custom', message: time.problem, input: value })
      return z.NEVER
    })
    .optional(),
  evaluator: text,
  evaluator_version: text,
  dimension: text,
  score: z.number(SCORE).min(0, SCORE).max(1, SCORE).nullable().default(null),
  label: text,
  explanation: textOf(MAX_EXPLANATION_BYTES),
  response_id: text,
  tenant: text,
  team: text,
  feature: text,
  environment: text,
  cost_centre: text,
  user_tier: text,
  user: text,
  session: text,
  request_id: text,
  service: text,
  provider: text,
  model: text,
  prompt_id: text,
  prompt_version: text,
  experiment: text,
  variant: text,
  domain: text,
  use_case: text,
})
type Told = z.output<typeof shape>

const FIELDS: ReadonlySet<string> = new Set(Object.keys(shape.shape))

/** Other names of fields: evaluation.avsc's, and those of OpenTelemetry's event gen_ai.evaluation.result. */
const ALIASES: Readonly<Record<string, string>> = {
  time_unix_nano: 'time',
  'gen_ai.evaluation.name': 'evaluator',
  'gen_ai.evaluation.score.value': 'score',
  'gen_ai.evaluation.score.label': 'label',
  'gen_ai.evaluation.explanation': 'explanation',
  'gen_ai.response.id': 'response_id',
}

/**
 * Reads one evaluation of a request and finds everything that is wrong with it. A field that is null or
 * empty counts as not told. `received` is nanoseconds since the epoch: the time of one that tells none.
 */
export function readEvaluation(sent: unknown, received: bigint): EvaluationReading {
  if (!isObject(sent))
    return { type: 'bad', mistakes: [{ field: '', message: 'must be an object' }] }
  const { fields, names, doubles } = byOwnNames(sent)
  const result = shape.safeParse(fields)
  const mistakes = [
    ...doubles,
    ...findGaps(fields),
    ...(result.error?.issues ?? []).flatMap(mistakesOf),
  ].map(({ field, message }) => ({ field: names.get(field) ?? field, message }))
  if (result.data === undefined || mistakes.length > 0) return { type: 'bad', mistakes }
  return { type: 'read', evaluation: toEvaluation(result.data, received) }
}

type Fields = Readonly<Record<string, unknown>>

interface OwnNames {
  /** What was told, by our names. */
  readonly fields: Fields
  /** Our name of each field that was told by another, and that other. */
  readonly names: ReadonlyMap<string, string>
  readonly doubles: readonly Mistake[]
}

function byOwnNames(sent: Fields): OwnNames {
  const fields = new Map<string, unknown>()
  const names = new Map<string, string>()
  const doubles: Mistake[] = []
  for (const [name, value] of Object.entries(sent)) {
    const own = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name
    if (FIELDS.has(own) && (value === null || value === '')) continue
    if (fields.has(own)) {
      const before = names.get(own) ?? own
      doubles.push({ field: name, message: `says the same as ${before}: give one of them` })
    } else if (own !== name) names.set(own, name)
    fields.set(own, value)
  }
  return { fields: Object.fromEntries(fields), names, doubles }
}

/** What must be there and is not. */
function findGaps(fields: Fields): readonly Mistake[] {
  const has = (...names: readonly string[]) => names.some((name) => fields[name] !== undefined)
  const gaps: Mistake[] = []
  if (!has('trace_id', 'request_id', 'response_id')) {
    gaps.push({ field: 'trace_id', message: 'is missing; request_id or response_id would do, too' })
  }
  if (has('span_id') && !has('trace_id')) {
    gaps.push({ field: 'span_id', message: 'means nothing without the trace_id' })
  }
  if (!has('evaluator', 'dimension')) {
    gaps.push({ field: 'evaluator', message: 'is missing; a dimension would do, too' })
  }
  if (!has('score', 'label')) {
    gaps.push({ field: 'score', message: 'is missing; a label would do, too' })
  }
  return gaps
}

function mistakesOf(issue: z.core.$ZodIssue): readonly Mistake[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ field: String(issue.path[0] ?? ''), message: issue.message }]
  }
  const named = issue.keys.slice(0, MAX_UNKNOWN).map((name) => ({
    field: name.slice(0, MAX_NAME_LENGTH),
    message: 'is not a field of an evaluation',
  }))
  const more = issue.keys.length - named.length
  if (more === 0) return named
  return [
    ...named,
    { field: '', message: `has ${more} more fields that are none of an evaluation` },
  ]
}

function toEvaluation({ time, ...told }: Told, received: bigint): Evaluation {
  const evaluator = told.evaluator === '' ? told.dimension : told.evaluator
  const dimension = told.dimension === '' ? told.evaluator : told.dimension
  const named = { ...told, evaluator, dimension }
  return {
    ...named,
    evaluation_id:
      told.evaluation_id === '' ? evaluationIdOf({ ...named, time }) : told.evaluation_id,
    time_unix_nano: time ?? received,
    origin: 'api',
    received_time_unix_nano: received,
  }
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
