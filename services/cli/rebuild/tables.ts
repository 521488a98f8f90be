/** What becomes of each table that keeps rows when days are rebuilt. */

/** Rollups of a day in a partition of its own, made of the rows below. */
export const dayRollups = [
  'requests_by_model_1m',
  'requests_by_model_1h',
  'errors_by_type_1m',
  'errors_by_type_1h',
  'histograms_by_model_1m',
  'histograms_by_model_1h',
  'cost_by_user_1h',
  'traces',
  'scores_by_evaluator_1m',
] as const

/** Rollups whose partition is a month: its other days stay as they are. */
export const monthRollups = ['calls_by_feature_1d'] as const

/** Rows that rollups are made of. */
export const dayRows = ['spans', 'span_content', 'price_corrections', 'evaluations'] as const

/** Views that would land rows, which a rebuild from rows leaves alone. */
export const rowViews = [
  'spans_mv',
  'span_content_mv',
  'price_corrections_mv',
  'evaluations_mv',
] as const

/** When a span landed is no matter of its day. */
export const landingViews = ['landings_1m_mv'] as const

/** The partition of a day, as ClickHouse calls it. */
export function dayPartition(day: string): string {
  return day.replaceAll('-', '')
}

/** First day of the month of a day. */
export function monthOf(day: string): string {
  return `${day.slice(0, 8)}01`
}

const DAY_MS = 86_400_000

/** The days (UTC) that a range of time touches. */
export function daysOf(fromMs: number, toMs: number): readonly string[] {
  const days: string[] = []
  for (let ms = Math.floor(fromMs / DAY_MS) * DAY_MS; ms < toMs; ms += DAY_MS) {
    days.push(new Date(ms).toISOString().slice(0, 10))
  }
  return days
}
