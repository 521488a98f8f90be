import { Command, InvalidArgumentError } from 'commander'
import { createApiKey } from '#runtime/api-key.ts'
import { type ApiKeyEntry, apiKeyVariables, SCOPES, type Scope } from '#runtime/api-keys-file.ts'
import { ConfigError, type Env, readVariables } from '#runtime/config.ts'
import { textTable } from '#runtime/text-table.ts'
import { readTime } from '#runtime/time-option.ts'
import { addKey, expireKey, readKeys, removeKey } from './keys-file.ts'

interface KeysCommandOptions {
  readonly env: Env
  readonly now?: () => number
  readonly stdout?: NodeJS.WritableStream
  readonly stderr?: NodeJS.WritableStream
}

interface FileFlag {
  readonly file?: string
}
interface CreateFlags extends FileFlag {
  readonly tenant: string
  readonly scopes?: readonly Scope[]
  readonly expires?: string
}

const RELOAD = 'Running workers take it over on SIGHUP.'

/** `spanmeter keys`: who may send to ingest. */
export function createKeysCommand({
  env,
  now = Date.now,
  stdout = process.stdout,
  stderr = process.stderr,
}: KeysCommandOptions): Command {
  const fileOf = ({ file }: FileFlag): string => {
    const named = file ?? readVariables(apiKeyVariables, env).SPANMETER_API_KEYS
    if (named !== undefined) return named
    throw new ConfigError('Say which file holds the keys: set SPANMETER_API_KEYS, or give --file.')
  }
  const create = withFile('create')
    .description('make a key, show it once, and add its hash to the file')
    .requiredOption('--tenant <name>', 'whose spans and scores are sent with it')
    .option('--scopes <list>', `what it is for (default: ${SCOPES.join(',')})`, parseScopes)
    .option('--expires <time>', 'from when on it is refused, an ISO date or time', parseExpiry)
    .action((flags: CreateFlags) => {
      const file = fileOf(flags)
      const { tenant, scopes, expires } = flags
      const { id, key, hash } = createApiKey()
      const own = { ...(scopes && { scopes }), ...(expires !== undefined && { expires }) }
      addKey(file, { id, hash, tenant, ...own })
      stderr.write(`Key ${id} of tenant ${tenant} is in ${file}. It is shown only now. ${RELOAD}\n`)
      stdout.write(`${key}\n`)
    })
  const list = withFile('list')
    .description('show all keys, which are known by their ids')
    .option('--json', 'print JSON')
    .action((flags: FileFlag & { readonly json?: boolean }) => {
      const { keys } = readKeys(fileOf(flags))
      const rows = keys.map((entry) => rowOf(entry, now()))
      stdout.write(flags.json === true ? `${JSON.stringify(rows)}\n` : tableOf(rows))
    })
  const revoke = withFile('revoke')
    .description('take a key out of the file, or let it expire')
    .argument('<id>', 'the id of the key')
    .option('--at <time>', 'keep it until this ISO date or time', parseExpiry)
    .action((id: string, flags: FileFlag & { readonly at?: string }) => {
      const file = fileOf(flags)
      if (flags.at === undefined) removeKey(file, id)
      else expireKey(file, id, flags.at)
      const what = flags.at === undefined ? 'is revoked' : `expires at ${flags.at}`
      stderr.write(`Key ${id} ${what}. ${RELOAD}\n`)
    })
  return new Command('keys')
    .description('look after the API keys of ingest (see docs/receiving.md)')
    .addCommand(create)
    .addCommand(list)
    .addCommand(revoke)
}

function withFile(name: string): Command {
  return new Command(name).option('--file <yaml>', 'file of keys (default: SPANMETER_API_KEYS)')
}

/** What is shown of a key. */
interface Row {
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly Scope[]
  readonly expires: string | null
  readonly state: 'valid' | 'expired'
}

function rowOf({ id, tenant, scopes, expires }: ApiKeyEntry, nowMs: number): Row {
  return {
    id,
    tenant,
    scopes,
    expires: expires === undefined ? null : new Date(expires).toISOString(),
    state: expires !== undefined && nowMs >= expires ? 'expired' : 'valid',
  }
}

function parseScopes(text: string): readonly Scope[] {
  return text.split(',').map((part) => {
    const scope = SCOPES.find((each) => each === part.trim())
    if (scope === undefined) throw new InvalidArgumentError(`It takes ${SCOPES.join(' and ')}.`)
    return scope
  })
}

function parseExpiry(text: string): string {
  readTime(text)
  return text.trim()
}

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ id, tenant, scopes, expires, state }) => [
    id,
    tenant,
    scopes.join(','),
    expires ?? 'never',
    state,
  ])
  const lines = textTable([['id', 'tenant', 'scopes', 'expires', 'state'], ...cells], 5)
  return `${lines.join('\n')}\n`
}
