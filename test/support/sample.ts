import { readFileSync } from 'node:fs'
import { parseWorkload } from '../../services/cli/replay/csv.ts'
import { makeRequests, outlineWorkload } from '../../services/cli/replay/otlp.ts'

const FILE = new URL(
  '../../examples/data/azure-llm-inference-2023-conversation.csv',
  import.meta.url,
)
const MINUTE_NS = 60_000_000_000n

/** OTLP requests of the sample workload's first rows, ending about now. */
export function sampleRequests({ rows, seed }: { rows: number; seed: number }): readonly Buffer[] {
  const workload = parseWorkload(readFileSync(FILE, 'utf8'), 'sample').slice(0, rows)
  const { lastEndNs } = outlineWorkload(workload, seed)
  const shiftNs = BigInt(Date.now()) * 1_000_000n - MINUTE_NS - lastEndNs
  return [...makeRequests(workload, { seed, shiftNs })].map(({ body }) => Buffer.from(body))
}
