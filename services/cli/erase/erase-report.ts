import type { EraseReport } from './erase.ts'

/** The report for a person. */
export function formatReport(report: EraseReport, isPreview: boolean): readonly string[] {
  const verb = isPreview ? 'would be removed' : 'was removed'
  const { leftRows, leftRecords, behind } = report
  const removed = [
    ...Object.entries(report.rows).map(([table, n]) => `  ${table}: ${countText(n, 'row')}`),
    ...Object.entries(report.records).map(
      ([topic, n]) => `  topic ${topic}: ${countText(n, 'record')}`,
    ),
  ]
  const lines = removed.length === 0 ? [`Nothing ${verb}.`] : [`What ${verb}:`, ...removed]
  if (isPreview) {
    return leftRows.length === 0
      ? lines
      : [
          ...lines,
          'Named in:',
          ...leftRows.map((row) => `  ${row.table}.${row.column}: ${countText(row.rows, 'row')}`),
        ]
  }
  if (isClean(report)) return [...lines, 'Nothing is left.']
  return [
    ...lines,
    'What is left:',
    ...behind.map(
      (group) => `  the group ${group} has not read all that was there: run this again`,
    ),
    ...leftRows.map((row) => `  ${row.table}.${row.column}: ${countText(row.rows, 'row')}`),
    ...leftRecords.map(
      ({ topic, records, why, untilMs }) =>
        `  topic ${topic}: ${countText(records, 'record')}; ${why}${untilText(untilMs)}`,
    ),
  ]
}

/** Whether nothing of the person is left. */
export function isClean({ leftRows, leftRecords, behind }: EraseReport): boolean {
  return leftRows.length + leftRecords.length + behind.length === 0
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function untilText(untilMs: number | undefined): string {
  return untilMs === undefined
    ? ''
    : `; Kafka lets go of them by itself after ${new Date(untilMs).toISOString()}`
}
