import { readFileSync } from 'node:fs'
import { parseWorkload } from '../../../services/cli/replay/csv.ts'
import type { CallFacts, SpanSpec } from '../../../services/cli/replay/span.ts'
import { makeTrace } from '../../../services/cli/replay/trace.ts'

/** The LLM call of one trace of the sample. */
export interface SampleCall {
  readonly span: SpanSpec
  readonly facts: CallFacts
  /** When its request came, and when it ended, in minutes since the first request. */
  readonly minute: number
  readonly endMinute: number
}

const file = new URL(
  '../../../examples/data/azure-llm-inference-2023-conversation.csv',
  import.meta.url,
)

/** All LLM calls of the sample, in order of their requests. */
export function sampleCalls(): readonly SampleCall[] {
  const rows = parseWorkload(readFileSync(file, 'utf8'), 'sample')
  const firstRequestNs = rows[0]?.timeNs ?? 0n
  const minuteOf = (timeNs: bigint) => Number(timeNs - firstRequestNs) / 60e9
  return rows.flatMap((row, index) =>
    makeTrace(row, index, { seed: 1, shiftNs: 0n, firstRequestNs }).flatMap((span) =>
      span.call === undefined
        ? []
        : {
            span,
            facts: span.call,
            minute: minuteOf(row.timeNs),
            endMinute: minuteOf(span.endNs),
          },
    ),
  )
}
