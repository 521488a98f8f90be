import { describe, expect, test } from 'vitest'
import { formatLowQualityTraces, formatSlowTraces } from '../../../services/cli/traces/list-text.ts'
import type { LowQualityTrace, SlowTrace, Trait } from '../../../services/cli/traces/trace-lists.ts'

const listed = {
  traceId: 'a'.repeat(32),
  tenant: 'acme',
  startedAt: '2026-11-21T10:00:00.123Z',
  endpoint: '/v1/chat',
  rootName: 'POST /v1/chat',
  rootService: 'api',
  models: ['gpt-4o', 'gpt-4o-mini'],
  durationMs: 1_000,
  errors: 0,
  llmCalls: 2,
  costUsd: '0.0015',
  unpriced: 0,
}
const slow: SlowTrace = {
  ...listed,
  p95Ms: 400,
  pathMs: { tool: 90, llm: 850, retrieval: 30, other: 26, waiting: 4 },
  spans: 6,
  firstErrorType: '',
}
const low: LowQualityTrace = {
  ...listed,
  lowestScore: 0.4,
  evaluator: 'factuality',
  label: 'fail',
  explanation: 'No source\nsays so.',
  scores: 3,
  lowScores: 2,
  prompts: [],
}
const trait: Trait = {
  dimension: 'model',
  value: 'gpt-4o',
  tracesIn: 1_200,
  tracesOut: 34,
  shareIn: 0.75,
  shareOut: 0.05,
  lift: 4.256,
  zScore: 12,
}

describe('Slow traces', () => {
  test('are a line each, with the steps that took the most time, and what they share', () => {
    const failed = { ...slow, firstErrorType: 'timeout', costUsd: null, unpriced: 2 }
    expect(formatSlowTraces({ traces: [slow, failed], total: 1_000 }, [trait])).toEqual([
      '1,000 traces above the P95 of their endpoint, the slowest first:',
      '',
      'trace                             started (UTC)        tenant  endpoint  where the time went                error       ms  of P95  LLM calls         USD',
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  2026-11-21 10:00:00  acme    /v1/chat  llm 85 %, tool 9 %, retrieval 3 %           1,000    2.5x          2      0.0015',
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  2026-11-21 10:00:00  acme    /v1/chat  llm 85 %, tool 9 %, retrieval 3 %  timeout  1,000    2.5x          2  2 unpriced',
      '… and 998 more (--limit)',
      '',
      'What the slow traces have in common:',
      '',
      '       what     slow  the rest  of the slow  of the rest   lift',
      'model  gpt-4o  1,200        34       75.0 %        5.0 %  4.26x',
      '',
      'Look into one:',
      '',
      `  npm run spanmeter -- traces show ${'a'.repeat(32)}`,
    ])
  })

  test('that share nothing say so; where it was not asked, nothing is said', () => {
    const lines = formatSlowTraces({ traces: [slow], total: 1 }, [])
    expect(lines[0]).toBe('1 trace above the P95 of their endpoint, the slowest first:')
    expect(lines).toContain('Nothing stands out in what the slow traces have in common.')
    expect(formatSlowTraces({ traces: [slow], total: 1 }, undefined).join()).not.toContain('common')
  })
})

describe('Traces of low quality', () => {
  test('are a line each, with the lowest score and why', () => {
    const verdict = { ...low, lowestScore: null, explanation: '', label: 'low_quality' }
    const lines = formatLowQualityTraces({ traces: [low, verdict], total: 2 }, [trait])
    expect(lines.slice(0, 9)).toEqual([
      '2 traces of low quality, the worst first:',
      '',
      'trace                             started (UTC)        tenant  endpoint  model               evaluator   why                 lowest  low scores     ms     USD',
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  2026-11-21 10:00:00  acme    /v1/chat  gpt-4o gpt-4o-mini  factuality  No source says so.    0.40      2 of 3  1,000  0.0015',
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  2026-11-21 10:00:00  acme    /v1/chat  gpt-4o gpt-4o-mini  factuality  low_quality              -      2 of 3  1,000  0.0015',
      '',
      'What the traces of low quality have in common:',
      '',
      '       what      low  the rest  of the low  of the rest   lift',
    ])
  })

  test('are told of in a line, however long the explanation', () => {
    const wordy = { ...low, explanation: 'x'.repeat(500) }
    const [, , , line = ''] = formatLowQualityTraces({ traces: [wordy], total: 1 }, [])
    expect(line).toContain(`  ${'x'.repeat(47)}…  `)
  })
})
