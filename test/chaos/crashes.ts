import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const FATAL_LEVEL = 60
/** A worker that finds no broker as it starts says so and ends: its supervisor tries again. */
const NOT_STARTED = 'The worker could not start.'

/** Why workers that ran ended by themselves, and how often: faults do not excuse it. */
export async function crashesOf(logDir: string): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const file of await readdir(logDir, { recursive: true })) {
    if (!file.endsWith('.log')) continue
    for (const line of (await readFile(join(logDir, file), 'utf8')).split('\n')) {
      const why = crashOf(line)
      if (why !== undefined) counts[why] = (counts[why] ?? 0) + 1
    }
  }
  return counts
}

/** What does not parse may be the trace of an uncaught error: its first line begins with its name. */
function crashOf(line: string): string | undefined {
  if (!line.startsWith('{')) return /^\w*Error\b.*/.exec(line)?.[0]
  try {
    const entry: { level?: number; service?: string; msg?: string; err?: { message?: string } } =
      JSON.parse(line)
    if (entry.level !== FATAL_LEVEL || entry.msg === NOT_STARTED) return undefined
    return `${entry.service}: ${entry.msg} ${entry.err?.message ?? ''}`
  } catch {
    return undefined
  }
}
