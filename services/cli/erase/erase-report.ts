import type { EraseReport } from './erase.ts'

/** The report for a person. */
export function formatReport(report: EraseReport, isPreview: boolean): readonly string[] {
  const verb = isPreview ? 'would be removed' : 'removed'
  const { leftRows, leftRecords, behind } = report
  const removed = [
    ...Object.entries(report.rows).map(([table, n]) => `  ${table}: ${rowsText(n)}`),
    ...Object.entries(report.records).map(([topic, n]) => `  topic ${topic}: ${n} records`),
  ]
  const lines = removed.length === 0 ? [`Nothing ${verb}.`] : [`What ${verb}:`, ...removed]
  if (isPreview) {
    return leftRows.length === 0
      ? lines
      : [
          ...lines,
          'Named in:',
          ...leftRows.map((row) => `  ${row.table}.${row.column}: ${rowsText(row.rows)}`),
        ]
  }
  if (isClean(report)) return [...lines, 'Nothing is left.']
  return [
    ...lines,
    'What is left:',
    ...behind.map(
      (group) => `  the group ${group} has not read all that was there: run this again`,
    ),
    ...leftRows.map((row) => `  ${row.table}.${row.column}: ${rowsText(row.rows)}`),
    ...leftRecords.map(
      ({ topic, records, why, untilMs }) =>
        `  topic ${topic}: ${records} records; ${why}${untilText(untilMs)}`,
    ),
  ]
}

/** Whether nothing of the person is left. */
export function isClean({ leftRows, leftRecords, behind }: EraseReport): boolean {
  return leftRows.length + leftRecords.length + behind.length === 0
}

function rowsText(rows: number): string {
  return rows === 1 ? '1 row' : `${rows} rows`
}

function untilText(untilMs: number | undefined): string {
  return untilMs === undefined
    ? ''
    : `; Kafka removes them by itself after ${new Date(untilMs).toISOString()}`
}
