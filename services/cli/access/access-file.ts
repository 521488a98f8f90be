import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'
import { ConfigError, type Env } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { misshapen, readYamlTexts, type YamlTexts } from '#runtime/yaml.ts'

/** A person or a program that reads. */
export interface Reader {
  readonly name: string
  /** The tenants whose rows it sees; undefined for a viewer, who sees all. */
  readonly tenants: readonly string[] | undefined
  readonly passwordSha256: string
  readonly networks: readonly string[]
}

/** What is wrong, and where; no value of the file stands in it, as it may be a secret. */
interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

export const ANYWHERE = '::/0'
export const MIN_PASSWORD_LENGTH = 12
const MAX_USERS = 1_000
const MAX_TENANTS = 1_000
const MAX_NETWORKS = 100
const IP_BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 }
/** Names that are taken by users that variables make, or that mean something to the server. */
const TAKEN_NAMES = new Set(['default', 'migrator', 'writer', 'grafana'])

const name = z
  .string('must be a text')
  .regex(/^[A-Za-z_][\w-]{0,63}$/, 'must be a letter and up to 63 letters, digits, "_" and "-"')
  .refine((given) => !TAKEN_NAMES.has(given.toLowerCase()), 'is the name of a user of Spanmeter')
const network = z
  .string('must be a text')
  .refine(isNetwork, 'must be an address or a network, such as 10.0.0.7 or 10.0.0.0/8')
const user = z.strictObject({
  name,
  role: z.enum(['viewer', 'tenant'], 'must be viewer or tenant'),
  tenants: z
    .array(z.string('must be a text').min(1, 'must not be empty').max(1_000))
    .min(1, 'must name a tenant at least')
    .max(MAX_TENANTS)
    .optional(),
  password: z
    .string('must be a text')
    .regex(/^\$\{\w+\}$/, 'must be a variable of the environment, ${NAME}, and never the password')
    .optional(),
  password_sha256: z
    .string('must be a text')
    .regex(/^[\da-fA-F]{64}$/, 'must be the 64 hex digits of a SHA-256')
    .optional(),
  networks: z
    .array(network, 'must be a list of networks')
    .min(1, 'must name a network at least; leave it out for any')
    .max(MAX_NETWORKS)
    .default([ANYWHERE]),
})
const accessFile = z.strictObject({
  users: z.array(user, 'must be a list of users').max(MAX_USERS),
})
type Given = z.output<typeof user>

/**
 * Reads an access file, see docs/access.md; `password` names a variable of the environment. Throws
 * ConfigError that names the file and every place that is wrong.
 */
export function parseAccessFile(text: string, file: string, env: Env): readonly Reader[] {
  const yaml = readTexts(text, file)
  const result = accessFile.safeParse(yaml.value ?? {})
  if (!result.success) throw complaint(yaml, file, misshapen(result.error))
  const issues: Issue[] = []
  const readers = result.data.users.map((given, i) => toReader(given, i, env, issues))
  const names = readers.map((reader) => reader.name.toLowerCase())
  for (const [i, taken] of names.entries()) {
    if (names.indexOf(taken) !== i) {
      issues.push({ path: ['users', i, 'name'], message: 'stands above already' })
    }
  }
  if (issues.length > 0) throw complaint(yaml, file, issues)
  return readers
}

/** A message of the YAML reader goes on with the lines around the place, which may hold secrets. */
function readTexts(text: string, file: string): YamlTexts {
  try {
    return readYamlTexts(text, file)
  } catch (error) {
    throw new ConfigError(messageOf(error).split('\n')[0], { cause: error })
  }
}

function complaint(yaml: YamlTexts, file: string, issues: readonly Issue[]): ConfigError {
  const places = issues.map(({ path, message }) => `  ${yaml.describe(path)}: ${message}`)
  return new ConfigError(`${file} does not say who may read:\n${places.join('\n')}`)
}

function toReader(given: Given, i: number, env: Env, issues: Issue[]): Reader {
  const isTenant = given.role === 'tenant'
  if (isTenant && given.tenants === undefined) {
    issues.push({
      path: ['users', i],
      message: 'a tenant needs tenants: the names whose rows it sees',
    })
  }
  if (!isTenant && given.tenants !== undefined) {
    const message = 'a viewer sees every tenant: leave tenants out, or make its role tenant'
    issues.push({ path: ['users', i, 'tenants'], message })
  }
  return {
    name: given.name,
    tenants: isTenant ? [...new Set(given.tenants)] : undefined,
    passwordSha256: readPassword(given, i, env, issues),
    networks: given.networks,
  }
}

function readPassword(given: Given, i: number, env: Env, issues: Issue[]): string {
  const { password, password_sha256: sha256 } = given
  if ((password === undefined) === (sha256 === undefined)) {
    const message = 'needs password: ${NAME}, or password_sha256, and not both'
    issues.push({ path: ['users', i], message })
    return ''
  }
  if (sha256 !== undefined) return sha256.toLowerCase()
  const variable = password?.slice(2, -1) ?? ''
  const value = env[variable]?.trim() ?? ''
  const problem = value === '' ? `the environment has no ${variable}` : tooShort(variable, value)
  if (problem !== undefined) issues.push({ path: ['users', i, 'password'], message: problem })
  return hashPassword(value)
}

/** What is wrong with a password, which is not shown; undefined if nothing is. */
export function tooShort(variable: string, password: string): string | undefined {
  if (password.length >= MIN_PASSWORD_LENGTH) return undefined
  return `${variable} must have ${MIN_PASSWORD_LENGTH} characters at least; make one with: openssl rand -hex 24`
}

/** As the users file has it: SHA-256 in hex. */
export function hashPassword(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}

function isNetwork(text: string): boolean {
  const [address = '', length, ...more] = text.split('/')
  const bits = IP_BITS[isIP(address)]
  if (bits === undefined || more.length > 0) return false
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits)
}
