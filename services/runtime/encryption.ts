import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { messageOf } from './errors.ts'

/** PEM texts: whom to trust, and who one is. */
export interface Tls {
  /** Certificates of authorities to trust instead of those that Node comes with. */
  readonly ca?: Buffer
  /** A certificate of one's own and its key; both or neither. */
  readonly cert?: Buffer
  readonly key?: Buffer
}

/** How a client of Kafka says who it is. */
export type Sasl = Login<'plain'> | Login<'scram-sha-256'> | Login<'scram-sha-512'>

interface Login<Mechanism> {
  readonly mechanism: Mechanism
  readonly username: string
  readonly password: string
}

/** Variables of connections that are encrypted, and of the users of Kafka. */
export const encryptionVariables = {
  SPANMETER_KAFKA_TLS: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      'Whether connections to Kafka are encrypted. Unset: if one of the next three is set.',
    ),
  SPANMETER_KAFKA_TLS_CA: z
    .string()
    .optional()
    .describe('PEM file of the authorities that sign brokers. Unset: those that Node trusts.'),
  SPANMETER_KAFKA_TLS_CERT: z
    .string()
    .optional()
    .describe('PEM file of a client certificate for Kafka.'),
  SPANMETER_KAFKA_TLS_KEY: z.string().optional().describe('PEM file of its key.'),
  SPANMETER_KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('How this process says to Kafka who it is. Unset: it does not.'),
  SPANMETER_KAFKA_SASL_USERNAME: z.string().optional().describe('User of Kafka.'),
  SPANMETER_KAFKA_SASL_PASSWORD: z.string().optional().describe('Password of that user.'),
  SPANMETER_KAFKA_SASL_PASSWORD_FILE: z
    .string()
    .optional()
    .describe('File that holds the password, instead.'),
  SPANMETER_CLICKHOUSE_PASSWORD_FILE: z
    .string()
    .optional()
    .describe('File that holds the password of SPANMETER_CLICKHOUSE_USER, instead.'),
  SPANMETER_CLICKHOUSE_TLS_CA: z
    .string()
    .optional()
    .describe(
      'PEM file of the authorities that sign an https:// ClickHouse. Unset: those that Node trusts.',
    ),
  SPANMETER_CLICKHOUSE_TLS_CERT: z
    .string()
    .optional()
    .describe('PEM file of a client certificate for ClickHouse.'),
  SPANMETER_CLICKHOUSE_TLS_KEY: z.string().optional().describe('PEM file of its key.'),
} as const

type Values = z.output<z.ZodObject<typeof encryptionVariables>>

/** How connections to Kafka are encrypted; undefined where they are not. Throws ConfigError. */
export function kafkaTls(v: Values): Tls | undefined {
  const tls = readTls('SPANMETER_KAFKA', {
    ca: v.SPANMETER_KAFKA_TLS_CA,
    cert: v.SPANMETER_KAFKA_TLS_CERT,
    key: v.SPANMETER_KAFKA_TLS_KEY,
  })
  if (v.SPANMETER_KAFKA_TLS === 'false' && tls !== undefined) {
    throw new ConfigError(
      'Configuration is not valid:\n  SPANMETER_KAFKA_TLS=false: but certificates for Kafka are given',
    )
  }
  return v.SPANMETER_KAFKA_TLS === 'true' ? (tls ?? {}) : tls
}

/** Certificates for an https:// ClickHouse; undefined where none are given. Throws ConfigError. */
export function clickhouseTls(v: Values): Tls | undefined {
  return readTls('SPANMETER_CLICKHOUSE', {
    ca: v.SPANMETER_CLICKHOUSE_TLS_CA,
    cert: v.SPANMETER_CLICKHOUSE_TLS_CERT,
    key: v.SPANMETER_CLICKHOUSE_TLS_KEY,
  })
}

/** Who this process is to Kafka; undefined where it does not say. Throws ConfigError for half an answer. */
export function kafkaSasl(v: Values): Sasl | undefined {
  const mechanism = v.SPANMETER_KAFKA_SASL_MECHANISM
  const username = v.SPANMETER_KAFKA_SASL_USERNAME
  const password = readPassword(
    'SPANMETER_KAFKA_SASL_PASSWORD',
    v.SPANMETER_KAFKA_SASL_PASSWORD,
    v.SPANMETER_KAFKA_SASL_PASSWORD_FILE,
  )
  if (mechanism === undefined && username === undefined && password === undefined) return undefined
  if (mechanism !== undefined && username !== undefined && password !== undefined) {
    return { mechanism, username, password }
  }
  const missing = [
    mechanism === undefined ? 'SPANMETER_KAFKA_SASL_MECHANISM' : '',
    username === undefined ? 'SPANMETER_KAFKA_SASL_USERNAME' : '',
    password === undefined ? 'SPANMETER_KAFKA_SASL_PASSWORD (or …_PASSWORD_FILE)' : '',
  ].filter((name) => name !== '')
  throw new ConfigError(
    `Configuration is not valid:\n  A login at Kafka needs ${missing.join(' and ')} too`,
  )
}

/**
 * A password that is given itself or as a file, whose line break at the end does not count;
 * undefined where it is not given. Throws ConfigError where it is given twice, or the file cannot
 * be read.
 */
export function readPassword(
  name: string,
  given: string | undefined,
  file: string | undefined,
): string | undefined {
  if (file === undefined) return given
  if (given !== undefined) {
    throw new ConfigError(`Configuration is not valid:\n  ${name} and ${name}_FILE are both set`)
  }
  return readGivenFile(`${name}_FILE`, file)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

/** Reads a file that a variable names. Throws ConfigError naming both. */
export function readGivenFile(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigError(
      `Configuration is not valid:\n  ${name}=${file}: cannot be read: ${messageOf(cause)}`,
      { cause },
    )
  }
}

type Files = Readonly<Record<'ca' | 'cert' | 'key', string | undefined>>

function readTls(prefix: string, { ca, cert, key }: Files): Tls | undefined {
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError(
      `Configuration is not valid:\n  ${prefix}_TLS_CERT and ${prefix}_TLS_KEY go together: one of them is not set`,
    )
  }
  if (ca === undefined && cert === undefined) return undefined
  return {
    ...(ca === undefined ? {} : { ca: readGivenFile(`${prefix}_TLS_CA`, ca) }),
    ...(cert === undefined ? {} : { cert: readGivenFile(`${prefix}_TLS_CERT`, cert) }),
    ...(key === undefined ? {} : { key: readGivenFile(`${prefix}_TLS_KEY`, key) }),
  }
}
