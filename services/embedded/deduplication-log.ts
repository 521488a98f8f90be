import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

/**
 * ClickHouse notes the token of an insert in its deduplication log just before it moves the new part
 * into place. A server that is killed between the two has the token and not the part: the repeated
 * insert would be dropped, and its rows lost. So before the server starts again, tokens whose part is
 * not there are taken back, with the records by which ClickHouse itself takes one back.
 *
 * The log has lines of an operation (1: added, 2: dropped), a part's name and a token, set apart by
 * tabs (MergeTreeDeduplicationLog of ClickHouse). Gives the parts whose tokens were taken back. The
 * server must not be running.
 */
export function repairDeduplicationLogs(storeDir: string): readonly string[] {
  if (!existsSync(storeDir)) return []
  return readdirSync(storeDir).flatMap((group) =>
    readdirSync(join(storeDir, group)).flatMap((table) =>
      repairTable(join(storeDir, group, table)),
    ),
  )
}

const LOG_NAME = /^deduplication_log_(\d+)\.txt$/
const ADDED = '1'

function repairTable(tableDir: string): readonly string[] {
  const folder = join(tableDir, 'deduplication_logs')
  if (!existsSync(folder)) return []
  const logs = readdirSync(folder)
    .filter((name) => LOG_NAME.test(name))
    .toSorted((a, b) => numberOf(a) - numberOf(b))
    .map((name) => join(folder, name))
  const newest = logs.at(-1)
  if (newest === undefined) return []
  cutBrokenLine(newest)
  const parts = readdirSync(tableDir).flatMap((name) => parsePart(name) ?? [])
  const lost = [...readTokens(logs)].filter(([, part]) => !isThere(part, parts))
  const records = lost.map(([token, part]) => `2\t${part}\t${token}\n`)
  if (records.length > 0) appendFileSync(newest, records.join(''))
  return lost.map(([, part]) => part)
}

function numberOf(log: string): number {
  return Number(LOG_NAME.exec(log)?.[1])
}

/** The server may have died within a line; what that told had not happened yet. */
function cutBrokenLine(log: string): void {
  const text = readFileSync(log, 'utf8')
  const end = text.lastIndexOf('\n') + 1
  if (end < text.length) truncateSync(log, Buffer.byteLength(text.slice(0, end)))
}

/** Tokens that are remembered, with their parts. */
function readTokens(logs: readonly string[]): ReadonlyMap<string, string> {
  const tokens = new Map<string, string>()
  for (const line of logs.flatMap((log) => readFileSync(log, 'utf8').split('\n'))) {
    const [operation, part, token] = line.split('\t')
    if (part === undefined || token === undefined) continue
    if (operation === ADDED) tokens.set(token, part)
    else tokens.delete(token)
  }
  return tokens
}

interface Part {
  readonly partition: string
  readonly minBlock: number
  readonly maxBlock: number
}

function parsePart(name: string): Part | undefined {
  const [, partition, min, max] = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name) ?? []
  if (partition === undefined) return undefined
  return { partition, minBlock: Number(min), maxBlock: Number(max) }
}

/** Whether a part is there, or one that it was merged into. */
function isThere(name: string, parts: readonly Part[]): boolean {
  const part = parsePart(name)
  if (part === undefined) return true
  return parts.some(
    ({ partition, minBlock, maxBlock }) =>
      partition === part.partition && minBlock <= part.minBlock && maxBlock >= part.maxBlock,
  )
}
