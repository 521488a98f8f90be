import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { messageOf } from './errors.ts'
import {
  clickhouseTls,
  encryptionVariables,
  kafkaSasl,
  kafkaTls,
  readPassword,
  type Sasl,
  type Tls,
} from './encryption.ts'

export { ConfigError }

/** The environment as Node gives it. */
export type Env = Readonly<Record<string, string | undefined>>

/**
 * Reads a table of environment variables, each with its zod type, default and description.
 * An empty variable counts as unset. Throws ConfigError that names every bad variable.
 */
export function readVariables<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Env,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(
    Object.keys(shape)
      .map((name) => [name, env[name]?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  )
  const result = z.object(shape).safeParse(given)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0])
    return `  ${name}=${given[name] ?? ''}: ${issue.message}`
  })
  throw new ConfigError(`Configuration is not valid:\n${lines.join('\n')}`)
}

/** Reads a file that a variable names. Throws ConfigError naming both. */
export function readNamedFile(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigError(`${name} names ${file}, which cannot be read (${messageOf(cause)}).`, {
      cause,
    })
  }
}

/** A whole number within bounds, written in decimal. */
export const wholeNumber = (min: number, max: number) =>
  z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)

/** A TCP port. */
export const port = () => wholeNumber(1, 65_535)

/** A list separated by commas, without empty parts. */
export const commaList = () =>
  z.string().transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )

/** Where this machine keeps what is its own. */
export const dataDirVariable = {
  SPANMETER_DATA_DIR: z
    .string()
    .default('.spanmeter')
    .describe('Folder of everything that the embedded engines keep.'),
} as const

/** What every process reads: where Kafka and ClickHouse are, and how it logs. */
export const commonVariables = {
  SPANMETER_KAFKA_BROKERS: commaList()
    .optional()
    .describe('Kafka brokers as host:port, separated by commas. Unset: embedded Kafka.'),
  SPANMETER_KAFKA_PORT: port().default(9092).describe('Port of the embedded Kafka.'),
  SPANMETER_CLICKHOUSE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .optional()
    .describe('HTTP address of ClickHouse. Unset: embedded ClickHouse.'),
  SPANMETER_CLICKHOUSE_HTTP_PORT: port()
    .default(8123)
    .describe('HTTP port of the embedded ClickHouse.'),
  SPANMETER_CLICKHOUSE_USER: z.string().default('default').describe('ClickHouse user.'),
  SPANMETER_CLICKHOUSE_PASSWORD: z.string().optional().describe('Password of that user.'),
  SPANMETER_CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[a-zA-Z_]\w*$/, 'must be a plain identifier')
    .default('spanmeter')
    .describe('ClickHouse database.'),
  SPANMETER_TOPIC_PREFIX: z
    .string()
    .regex(/^[\w.-]*$/, 'may hold letters, digits, ".", "_" and "-"')
    .default('')
    .describe(
      'Put before every topic and consumer group name, so that two stacks share a cluster.',
    ),
  SPANMETER_KAFKA_SESSION_TIMEOUT_MS: wholeNumber(1_000, 1_800_000)
    .default(10_000)
    .describe('After this long without a heartbeat a worker loses its partitions.'),
  SPANMETER_METRICS_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address that workers serve /metrics and /healthz on; 0.0.0.0 for every network.'),
  SPANMETER_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  ...encryptionVariables,
} as const

/** Where ingest listens, and others send to. */
export const otlpVariables = {
  SPANMETER_OTLP_HTTP_PORT: port().default(4318).describe('Port of OTLP/HTTP.'),
  SPANMETER_OTLP_GRPC_PORT: port().default(4317).describe('Port of OTLP/gRPC.'),
} as const

/** Settings shared by all workers, see commonVariables. */
export interface CommonConfig {
  readonly kafka: KafkaConfig
  readonly clickhouse: ClickHouseConfig
  readonly metricsHost: string
  readonly logLevel: string
}
export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  readonly sessionTimeoutMs: number
  /** Undefined: connections are plain. */
  readonly tls?: Tls | undefined
  readonly sasl?: Sasl | undefined
}
export interface ClickHouseConfig {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly database: string
  readonly tls?: Tls | undefined
}

/** The shared part of every service's configuration. Throws ConfigError. */
export function parseCommonConfig(env: Env): CommonConfig {
  const v = readVariables(commonVariables, env)
  return {
    kafka: {
      brokers: v.SPANMETER_KAFKA_BROKERS ?? [`127.0.0.1:${v.SPANMETER_KAFKA_PORT}`],
      topicPrefix: v.SPANMETER_TOPIC_PREFIX,
      sessionTimeoutMs: v.SPANMETER_KAFKA_SESSION_TIMEOUT_MS,
      tls: kafkaTls(v),
      sasl: kafkaSasl(v),
    },
    clickhouse: {
      url: v.SPANMETER_CLICKHOUSE_URL ?? `http://127.0.0.1:${v.SPANMETER_CLICKHOUSE_HTTP_PORT}`,
      user: v.SPANMETER_CLICKHOUSE_USER,
      password:
        readPassword(
          'SPANMETER_CLICKHOUSE_PASSWORD',
          v.SPANMETER_CLICKHOUSE_PASSWORD,
          v.SPANMETER_CLICKHOUSE_PASSWORD_FILE,
        ) ?? '',
      database: v.SPANMETER_CLICKHOUSE_DATABASE,
      tls: clickhouseTls(v),
    },
    metricsHost: v.SPANMETER_METRICS_HOST,
    logLevel: v.SPANMETER_LOG_LEVEL,
  }
}
