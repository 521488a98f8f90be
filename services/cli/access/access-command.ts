import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { ConfigError, type Env } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { usersXml, type UsersFile } from '../../embedded/users-xml.ts'
import { type AccessConfig, parseAccessConfig } from './access-config.ts'
import { accessUsers } from './access-users.ts'
import { createKafkaAccessCommand } from './kafka-command.ts'
import { createAccessLogCommand } from './log-command.ts'

interface Flags {
  readonly out?: string
  readonly check?: boolean
  readonly mode?: number
  readonly owner?: Owner
  readonly localAdmin?: boolean
}
interface Owner {
  readonly uid: number
  readonly gid: number
}

const PRIVATE_MODE = 0o600
const MAX_ID = 2 ** 32 - 2

/** `spanmeter access`: who may do what in ClickHouse. */
export function createAccessCommand({ env }: { readonly env: Env }): Command {
  const users = new Command('users')
    .description('write the users file of a ClickHouse server that runs elsewhere')
    .option('--out <file>', 'write users.xml to this file, all at once')
    .option('--check', 'only say what is wrong with the configuration, or who would be made')
    .option('--mode <octal>', 'rights of the file (default: 0600)', readMode)
    .option(
      '--owner <uid[:gid]>',
      'owner of the file, such as 101:101 in the image of ClickHouse',
      readOwner,
    )
    .option('--local-admin', 'keep the user default: all rights, no password, from loopback only')
    .action((flags: Flags) => {
      if ((flags.out === undefined) === (flags.check !== true)) {
        users.error('error: give either --out FILE or --check')
      }
      const localAdmin = flags.localAdmin === true
      const config = parseAccessConfig(env)
      requireUsers(config, localAdmin)
      const file = { ...accessUsers(config), localAdmin }
      const text = usersXml(file)
      if (flags.out !== undefined) writeWhole(flags.out, text, flags)
      process.stdout.write(
        `${flags.out ?? 'The configuration is valid'}: ${describe(file, config)}\n`,
      )
    })
  return new Command('access')
    .description(
      'look after users of ClickHouse and Kafka (see docs/access.md, docs/encryption.md)',
    )
    .addCommand(users)
    .addCommand(createKafkaAccessCommand(env))
    .addCommand(createAccessLogCommand(env))
}

/** A file that locks everybody out, or lets nobody insert, would be found out too late. */
function requireUsers(config: AccessConfig, localAdmin: boolean): void {
  const { migrator, writer, grafana, readers } = config
  if ([migrator, writer, grafana].every((hash) => hash === undefined) && readers.length === 0) {
    throw new ConfigError(
      'No user has a password. Set SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD, SPANMETER_CLICKHOUSE_WRITER_PASSWORD, ' +
        'SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD and, for further users, SPANMETER_ACCESS (docs/access.md).',
    )
  }
  if (writer !== undefined && migrator === undefined && !localAdmin) {
    throw new ConfigError(
      'There is a writer and no migrator: nobody could make the tables, and materialized views may run ' +
        'as the user that made them. Set SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD too.',
    )
  }
}

function describe({ users, localAdmin }: UsersFile, { readers }: AccessConfig): string {
  const tenants = new Map(readers.map((reader) => [reader.name, reader.tenants]))
  const names = users.map(({ name }) => {
    const own = tenants.get(name)
    return own === undefined ? name : `${name} (of ${own.join(', ')})`
  })
  return `users ${[...(localAdmin ? ['default (loopback)'] : []), ...names].join(', ')}`
}

/** Writes beside the file and renames: who reads it finds the old text or the new one. */
function writeWhole(file: string, text: string, { mode = PRIVATE_MODE, owner }: Flags): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    const handle = openSync(temporary, 'wx', PRIVATE_MODE)
    try {
      writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    chmodSync(temporary, mode)
    if (owner !== undefined) chownSync(temporary, owner.uid, owner.gid)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new ConfigError(`${file} cannot be written: ${messageOf(error)}`, { cause: error })
  }
}

function readMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8)
  throw new InvalidArgumentError('It must be an octal number such as 0640.')
}

function readOwner(text: string): Owner {
  const [uid, gid = uid] = text.split(':').map((id) => (/^\d+$/.test(id) ? Number(id) : MAX_ID + 1))
  if (uid !== undefined && gid !== undefined && uid <= MAX_ID && gid <= MAX_ID) return { uid, gid }
  throw new InvalidArgumentError('It must be numbers: UID or UID:GID, such as 101:101.')
}
