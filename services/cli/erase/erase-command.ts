import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { dataDirVariable, type Env, parseCommonConfig, readVariables } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { acquireLock, type Lock, LockHeldError } from '#runtime/process-lock.ts'
import { openRecordStore } from '#runtime/record-store.ts'
import { erase, type EraseOptions, type EraseReport, previewErasure } from './erase.ts'
import { EraseError } from './erase-error.ts'
import { formatReport, isClean } from './erase-report.ts'
import { createPerson } from './person.ts'
import { readStatement } from './statements.ts'

interface Flags {
  readonly user: string
  readonly tenant?: string
  readonly dryRun?: boolean
  readonly wait?: boolean
  readonly mentions?: boolean
  readonly json?: boolean
}

/** Removing rows from large tables takes long, and the server is silent meanwhile. */
const REQUEST_TIMEOUT_MS = 3_600_000
const CLIENT = 'spanmeter-erase'

/** `spanmeter erase`: removes a person's data, wherever it is kept. */
export function createEraseCommand({ env, logger }: { env: Env; logger: Logger }): Command {
  return new Command('erase')
    .description("remove a person's data wherever it is kept, and prove it (see docs/retention.md)")
    .requiredOption('--user <name>', 'whose data, as it stands in the column user')
    .option('--tenant <tenant>', 'of one tenant (default: of all)')
    .option('--dry-run', 'only count what would be removed')
    .option('--wait', 'wait until records may go that cannot yet')
    .option('--mentions', 'remove what is of others and names the person in a text, too')
    .option('--json', 'print one line of JSON')
    .action(async (flags: Flags) => {
      const lock = takeLock(env)
      try {
        const report = await run(flags, env, logger)
        const dryRun = flags.dryRun === true
        const lines = flags.json === true ? [JSON.stringify(report)] : formatReport(report, dryRun)
        process.stdout.write(`${lines.join('\n')}\n`)
        if (!dryRun && !isClean(report)) process.exitCode = 2
      } finally {
        lock.release()
      }
    })
}

async function run(flags: Flags, env: Env, logger: Logger): Promise<EraseReport> {
  if (flags.user.trim() === '') throw new EraseError('--user is empty: nobody is meant by that.')
  const config = parseCommonConfig(env)
  const options = { requestTimeoutMs: REQUEST_TIMEOUT_MS }
  const clickhouse = connectClickHouse(config.clickhouse, logger, options)
  const store = await openRecordStore(config.kafka, CLIENT, logger)
  const kafka = connectKafka(config.kafka, CLIENT, logger)
  const writer = await kafka.openWriter()
  try {
    const parts = {
      clickhouse,
      store,
      writer,
      person: createPerson(flags.user, flags.tenant, await hashOf(clickhouse, flags.user)),
      author: userInfo().username,
      freshId: randomUUID,
      now: Date.now,
      tell: (message: string) => process.stderr.write(`${message}\n`),
    }
    return flags.dryRun === true
      ? await previewErasure(parts)
      : await erase(parts, optionsOf(flags))
  } finally {
    await writer.close()
    await kafka.close()
    await store.close()
    await clickhouse.close()
  }
}

function optionsOf({ wait, mentions }: Flags): EraseOptions {
  return { wait: wait === true, mentions: mentions === true }
}

async function hashOf(clickhouse: ClickHouse, user: string): Promise<string> {
  const rows = await clickhouse.query<{ hash: string }>(readStatement('erase_hash', {}), { user })
  return rows[0]?.hash ?? ''
}

/** Two at once would not harm, and each would tell what the other removed. */
function takeLock(env: Env): Lock {
  const dataDir = resolve(readVariables(dataDirVariable, env).SPANMETER_DATA_DIR)
  mkdirSync(dataDir, { recursive: true })
  try {
    return acquireLock(join(dataDir, 'erase.lock'))
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    throw new EraseError(`Data is being erased by ${error.holder}. Wait until it is done.`)
  }
}
