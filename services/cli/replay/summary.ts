import { textTable } from '#runtime/text-table.ts'
import type { ReplayReport, Usage } from './report.ts'
import type { ReplayOutcome } from './send.ts'

/** The report as a page of text for a terminal. */
export function formatSummary(
  report: ReplayReport,
  outcome: ReplayOutcome | 'failed',
  elapsedMs: number,
): string {
  const seconds = Math.max(elapsedMs, 1) / 1000
  const speed = Math.round(report.spans / seconds)
  const lines = [
    `${opening(outcome)} ${number(report.spans)} spans of ${number(report.traces)} traces in ` +
      `${number(report.requests)} requests (${(report.bytes / 1e6).toFixed(1)} MB), ` +
      `${seconds.toFixed(1)} s, ${number(speed)} spans/s.`,
  ]
  if (report.spans === 0) return `${lines.join('\n')}\n`
  lines.push(
    `Their times reach from ${report.firstSpanTime} to ${report.lastSpanTime}.`,
    '',
    ...textTable(
      [
        ['provider', 'model', 'calls', 'errors', 'input', 'output', 'cache read', 'reasoning'],
        ...report.models.map((row) => [row.provider, row.model, ...usageCells(row)]),
        ['', 'all', ...usageCells(report.total)],
      ],
      2,
    ),
    '',
    `Failed calls report no usage: ${number(report.total.unreportedInputTokens)} input and ` +
      `${number(report.total.unreportedOutputTokens)} output tokens of the workload are in no span.`,
  )
  return `${lines.join('\n')}\n`
}

function opening(outcome: ReplayOutcome | 'failed'): string {
  if (outcome === 'complete') return 'Sent'
  return outcome === 'stopped' ? 'Stopped after sending' : 'Failed after sending'
}

function usageCells(usage: Usage): readonly string[] {
  const errors = Object.values(usage.errors).reduce((sum, count) => sum + count, 0)
  const { requests, inputTokens, outputTokens, cacheReadTokens, reasoningTokens } = usage
  return [requests, errors, inputTokens, outputTokens, cacheReadTokens, reasoningTokens].map(number)
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
