import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseWorkload } from '../../../services/cli/replay/csv.ts'
import { outage } from '../../../services/cli/replay/incidents.ts'
import { makeRequests } from '../../../services/cli/replay/otlp.ts'
import { createReportBuilder, type Usage } from '../../../services/cli/replay/report.ts'

const file = new URL(
  '../../../examples/data/azure-llm-inference-2023-conversation.csv',
  import.meta.url,
)
const rows = parseWorkload(readFileSync(file, 'utf8'), 'sample')
const builder = createReportBuilder()
for (const request of makeRequests(rows, { seed: 1, shiftNs: 0n })) builder.add(request)
const report = builder.build()
const sum = (usages: readonly Usage[], key: keyof Omit<Usage, 'errors'>) =>
  usages.reduce((total, usage) => total + usage[key], 0)

it('accounts for every token of the workload: sent, or lost to a failed call', () => {
  const { total } = report
  expect(total.inputTokens + total.unreportedInputTokens).toBe(22_361_870)
  expect(total.outputTokens + total.unreportedOutputTokens).toBe(4_088_665)
  expect([report.traces, total.requests]).toEqual([19_366, 19_366])
})

it.each(['models', 'tenants', 'features'] as const)('adds up over %s', (group) => {
  const keys = [
    'requests',
    'inputTokens',
    'outputTokens',
    'cacheReadTokens',
    'reasoningTokens',
    'unreportedInputTokens',
    'unreportedOutputTokens',
  ] as const
  for (const key of keys) expect(sum(report[group], key)).toBe(report.total[key])
})

it('has about 2 % failed calls beside the outage, and about 1 % of a model without a price', () => {
  const { [outage.error.type]: inOutage = 0, ...usual } = report.total.errors
  const errors = Object.values(usual).reduce((total, count) => total + count, 0)
  expect(errors / (report.total.requests - inOutage)).toBeCloseTo(0.02, 2)
  expect(inOutage).toBe(418)
  const unpriced = report.models.find(({ model }) => model === 'acme-private-7b')
  expect((unpriced?.requests ?? 0) / report.total.requests).toBeCloseTo(0.01, 2)
})

it('counts spans by operation, service and environment', () => {
  for (const counts of [report.operations, report.services, report.environments]) {
    expect(Object.values(counts).reduce((total, count) => total + count, 0)).toBe(report.spans)
  }
  expect(report.operations['chat']).toBe(19_366)
  // docs/workload.md has these figures.
  expect([report.spans, report.requests]).toEqual([92_234, 3_696])
  expect(report.evaluations).toEqual({ relevance: 3_739, factuality: 2_771 })
  expect(report.firstSpanTime).toBe('2023-11-16T18:15:46.680590000Z')
})
