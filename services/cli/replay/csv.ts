/** One request of a workload: when it arrived and how many tokens it took in and gave back. */
export interface WorkloadRequest {
  /** Arrival in nanoseconds since the epoch, UTC. */
  readonly timeNs: bigint
  readonly inputTokens: number
  readonly outputTokens: number
}

/** A workload file that cannot be used; the message names file, line, problem and what is wanted. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError'
}

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens'
const timestamp = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?$/
const tokens = /^\d{1,9}$/
const maxErrorsShown = 10

/**
 * Reads a workload in the format of the Azure LLM inference traces: a header, then one row per
 * request with UTC time (to the nanosecond), input tokens and output tokens. The result is in order
 * of time. Throws WorkloadError that names the first bad lines of `file`.
 */
export function parseWorkload(text: string, file: string): readonly WorkloadRequest[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines[0]?.trim() !== header) {
    throw new WorkloadError(
      `${file}:1: the header is "${lines[0]?.slice(0, 80)}", but must be "${header}"`,
    )
  }
  const requests: WorkloadRequest[] = []
  const problems: string[] = []
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue
    const row = parseRow(line)
    if (typeof row === 'string') problems.push(`${file}:${index + 1}: ${row}`)
    else requests.push(row)
  }
  if (problems.length > 0) throw new WorkloadError(describe(problems))
  if (requests.length === 0) throw new WorkloadError(`${file}: no rows follow the header`)
  return inOrderOfTime(requests)
}

/** The request of a row, or what is wrong with it. */
function parseRow(line: string): WorkloadRequest | string {
  const cells = line.split(',').map((cell) => cell.trim())
  const [time = '', input = '', output = ''] = cells
  if (cells.length !== 3) return `${cells.length} columns, but must be 3 (${header})`
  const timeNs = parseTime(time)
  if (timeNs === undefined) {
    return `TIMESTAMP is "${time}", but must be a UTC time such as 2023-11-16 18:15:46.6805900`
  }
  if (!tokens.test(input)) return `ContextTokens is "${input}", but must be a whole number`
  if (!tokens.test(output)) return `GeneratedTokens is "${output}", but must be a whole number`
  return { timeNs, inputTokens: Number(input), outputTokens: Number(output) }
}

function parseTime(text: string): bigint | undefined {
  const [, date, time, fraction = ''] = timestamp.exec(text) ?? []
  const epochMs = Date.parse(`${date}T${time}Z`)
  if (Number.isNaN(epochMs)) return undefined
  // Date.parse takes 30 February for 2 March, so the day must come back as it was.
  if (!new Date(epochMs).toISOString().startsWith(`${date}T${time}`)) return undefined
  return BigInt(epochMs) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

function inOrderOfTime(requests: readonly WorkloadRequest[]): readonly WorkloadRequest[] {
  return requests.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0))
}

function describe(problems: readonly string[]): string {
  const more = problems.length - maxErrorsShown
  const shown = problems.slice(0, maxErrorsShown)
  return [...shown, ...(more > 0 ? [`and ${more} more bad rows`] : [])].join('\n')
}
