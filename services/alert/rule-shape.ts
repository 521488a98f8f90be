import { z } from 'zod'
import { parseTime } from '#runtime/iso-time.ts'

/** What one file may hold, so that a file cannot fill the memory. */
const MAX_RULES = 2_000
const MAX_PARTS = 20
const MAX_OVERRIDES = 1_000
const MAX_ENTRIES = 32
const MAX_DIMENSIONS = 8
const MAX_VALUES = 200

const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, 'is missing, or not of names with a value each')
const text = z.string('must be a text').trim()
const word = text.min(1, 'must not be empty').max(300, 'is too long')
const template = text.min(1, 'must not be empty').max(2_000, 'is too long')
const choice = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.enum(names, `must be one of ${names.join(', ')}`)
const wholeNumber = (from: number, to: number) => {
  const complaint = `must be a whole number from ${from} to ${to}`
  return z
    .string(complaint)
    .regex(/^\d{1,9}$/, complaint)
    .transform(Number)
    .refine((value) => value >= from && value <= to, complaint)
}
const entries = <Value extends z.ZodType>(value: Value, key: z.ZodString = z.string()) =>
  z
    .record(key, value, 'must be names with a value each')
    .refine(
      (all) => Object.keys(all).length <= MAX_ENTRIES,
      `must not have more than ${MAX_ENTRIES}`,
    )

const severity = choice(['info', 'warning', 'critical'])
/** The empty text is a value too: that of records that do not tell the dimension. */
const oneOrMore = z.union([text.transform((one) => [one]), z.array(text).min(1).max(MAX_VALUES)])
const match = z.union(
  [
    oneOrMore.transform((values) => ({ values, isNegated: false })),
    object({ not: oneOrMore }).transform(({ not }) => ({ values: not, isNegated: true })),
  ],
  'must be a value, a list of values, or { not: … } of them',
)

const comparison = {
  above: text.optional(),
  below: text.optional(),
  up: text.optional(),
  down: text.optional(),
  resolve: text.optional(),
  floor: text.optional(),
  baseline: object({
    trailing: text.optional(),
    warmup: text.optional(),
    min_count: wholeNumber(1, 1_000_000).optional(),
    first: wholeNumber(2, 100_000).optional(),
  }).optional(),
}

const burn = object({
  objective: text.optional(),
  budget: text.optional(),
  period: text.default('30d'),
  levels: z
    .array(object({ rate: text, long: text, short: text, severity: severity.optional() }))
    .min(1, 'must have at least one level')
    .max(MAX_PARTS)
    .optional(),
})

const budgetPart = z.union(
  [
    text.transform((part) => ({ part, severity: undefined })),
    object({ part: text, severity: severity.optional() }),
  ],
  'must be a percentage, or { part, severity }',
)

const budget = object({
  limit: text,
  period: choice(['hour', 'day', 'week', 'month']),
  at: z.array(budgetPart).max(MAX_PARTS).optional(),
  projected: budgetPart.optional(),
  time_zone: text.default('UTC'),
  cycle_day: wholeNumber(1, 28).optional(),
  overrides: z
    .array(
      object({
        match: entries(text),
        limit: text.optional(),
        time_zone: text.optional(),
        cycle_day: wholeNumber(1, 28).optional(),
      }),
    )
    .max(MAX_OVERRIDES)
    .default([]),
})

const measured = {
  metric: text.optional(),
  source: choice(['spans', 'evaluations', 'dead_letters', 'system']).default('spans'),
  where: entries(match).default({}),
  bad: entries(match).optional(),
  window: text.optional(),
}
const negatedPart = object({ ...measured, condition: object(comparison) })
const part = object({
  ...measured,
  condition: object(comparison).optional(),
  not: negatedPart.optional(),
})
const condition = object({
  ...comparison,
  burn: burn.optional(),
  budget: budget.optional(),
  all: z.array(part).min(2, 'must have at least two parts').max(MAX_PARTS).optional(),
})

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
const weekday = choice(DAYS).transform((day) => DAYS.indexOf(day) + 1)
const minuteOfDay = z
  .string('must be a time of day such as 02:00')
  .regex(/^(?:[01]?\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 02:00')
  .transform((time) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number)
    return hours * 60 + minutes
  })
const instant = z.string('must be a time').transform((given, context) => {
  const timeMs = parseTime(given)
  if (timeMs !== undefined) return timeMs
  const message = `"${given}" is not a time such as 2026-12-01T00:00:00Z, nor one of the day such as 02:00`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})
const once = object({ name: word, from: instant, until: instant })
const weekly = object({
  name: word,
  time_zone: text.default('UTC'),
  days: z.array(weekday).min(1).max(DAYS.length).optional(),
  from: minuteOfDay,
  until: minuteOfDay,
})
const LABEL = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'must be a name of letters, digits and _')

/** One rule, as it is written. */
export const ruleShape = object({
  name: word
    .max(80)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be small letters, digits and hyphens'),
  summary: template.optional(),
  ...measured,
  by: z.array(word).max(MAX_DIMENSIONS).default([]),
  max_groups: wholeNumber(1, 1_000_000).default(10_000),
  contributors: word.optional(),
  every: text.optional(),
  condition,
  for: wholeNumber(1, 10_000).optional(),
  resolve_after: wholeNumber(1, 10_000).default(1),
  min_count: wholeNumber(0, 1_000_000_000).optional(),
  no_data: choice(['ok', 'keep', 'alert']).default('ok'),
  renotify: text.default('4h'),
  flap: object({ firings: wholeNumber(2, 1_000), within: text }).default({
    firings: 4,
    within: '1h',
  }),
  severity: severity.default('warning'),
  labels: entries(word, LABEL).default({}),
  annotations: entries(template, LABEL).default({}),
  link: template.optional(),
  maintenance: z.array(z.unknown()).max(MAX_PARTS).default([]),
})

/** The two kinds of maintenance; which one it is shows in how `from` is written. */
export const maintenanceShapes = { once, weekly }

/** A file; its rules are looked at one by one, so that a mistake in one does not hide another's. */
export const ruleFileShape = object({
  rules: z.array(z.unknown(), 'must be a list of rules').max(MAX_RULES).default([]),
  disable: z.array(word, 'must be a list of names').default([]),
  allowed_lateness: text.optional(),
})

export type RuleData = z.output<typeof ruleShape>
export type MeasuredData = Pick<RuleData, 'metric' | 'source' | 'where' | 'bad'>
export type ComparisonData = z.output<typeof negatedPart>['condition']
export type PartData = z.output<typeof part>
export type BurnData = z.output<typeof burn>
export type BudgetData = z.output<typeof budget>
