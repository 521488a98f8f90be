import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import {
  commonVariables,
  ConfigError,
  port,
  readVariables,
  wholeNumber,
  type Env,
  dataDirVariable,
} from '#runtime/config.ts'
import type { Detour } from './kafka-properties.ts'

/** An amount of memory such as 512m or 4g, in bytes. */
export const memorySize = () =>
  z
    .string()
    .regex(/^[1-9]\d{0,6}[mg]$/i, 'must be a number of megabytes or gigabytes, such as 512m or 4g')
    .transform((text) => Number(text.slice(0, -1)) * 2 ** (/g$/i.test(text) ? 30 : 20))

/** Environment variables of the embedded engines. */
export const embeddedVariables = {
  SPANMETER_KAFKA_BROKERS: commonVariables.SPANMETER_KAFKA_BROKERS,
  SPANMETER_CLICKHOUSE_URL: commonVariables.SPANMETER_CLICKHOUSE_URL,
  SPANMETER_KAFKA_PORT: commonVariables.SPANMETER_KAFKA_PORT,
  SPANMETER_CLICKHOUSE_HTTP_PORT: commonVariables.SPANMETER_CLICKHOUSE_HTTP_PORT,
  SPANMETER_CLICKHOUSE_NATIVE_PORT: port()
    .default(9000)
    .describe('Port of the native protocol of the embedded ClickHouse.'),
  SPANMETER_KAFKA_CONTROLLER_PORT: port()
    .optional()
    .describe('Port that the embedded Kafka uses for itself. Unset: a free one at every start.'),
  ...dataDirVariable,
  SPANMETER_CACHE_DIR: z
    .string()
    .optional()
    .describe('Folder for the downloaded Kafka. Unset: ~/.cache/spanmeter.'),
  SPANMETER_KAFKA_HEAP: memorySize()
    .prefault('512m')
    .describe('Java heap of the embedded Kafka, such as 512m or 2g.'),
  SPANMETER_CLICKHOUSE_MEMORY: memorySize()
    .prefault('4g')
    .describe('Most memory the embedded ClickHouse takes, such as 4g; never above half the RAM.'),
  SPANMETER_EMBEDDED_START_SECONDS: wholeNumber(1, 3_600)
    .default(120)
    .describe('An embedded engine that is not ready after this long is given up.'),
} as const

/** What startEngines starts; an engine that the variables point to elsewhere is undefined. */
export interface EmbeddedConfig {
  readonly dataDir: string
  readonly cacheDir: string
  readonly brokers: readonly string[]
  readonly clickhouseUrl: string
  readonly startDeadlineMs: number
  readonly kafka: KafkaSettings | undefined
  readonly clickhouse: ClickHouseSettings | undefined
}
export interface KafkaSettings {
  readonly port: number
  /** Undefined: a free port is picked at every start. */
  readonly controllerPort: number | undefined
  readonly heapBytes: number
  /** Ways to the broker that lead through proxies: for tests that cut them. */
  readonly detours?: readonly Detour[]
}
export interface ClickHouseSettings {
  readonly httpPort: number
  readonly nativePort: number
  readonly memoryBytes: number
}

/** Configuration of the embedded engines. Throws ConfigError that names every bad variable. */
export function parseEmbeddedConfig(env: Env): EmbeddedConfig {
  const v = readVariables(embeddedVariables, env)
  const kafka = {
    port: v.SPANMETER_KAFKA_PORT,
    controllerPort: v.SPANMETER_KAFKA_CONTROLLER_PORT,
    heapBytes: v.SPANMETER_KAFKA_HEAP,
  }
  const clickhouse = {
    httpPort: v.SPANMETER_CLICKHOUSE_HTTP_PORT,
    nativePort: v.SPANMETER_CLICKHOUSE_NATIVE_PORT,
    memoryBytes: v.SPANMETER_CLICKHOUSE_MEMORY,
  }
  const config = {
    dataDir: resolve(v.SPANMETER_DATA_DIR),
    cacheDir: resolve(
      v.SPANMETER_CACHE_DIR ?? join(env['HOME'] ?? homedir(), '.cache', 'spanmeter'),
    ),
    brokers: v.SPANMETER_KAFKA_BROKERS ?? [`127.0.0.1:${kafka.port}`],
    clickhouseUrl: v.SPANMETER_CLICKHOUSE_URL ?? `http://127.0.0.1:${clickhouse.httpPort}`,
    startDeadlineMs: v.SPANMETER_EMBEDDED_START_SECONDS * 1_000,
    kafka: v.SPANMETER_KAFKA_BROKERS === undefined ? kafka : undefined,
    clickhouse: v.SPANMETER_CLICKHOUSE_URL === undefined ? clickhouse : undefined,
  }
  requireDistinctPorts(config)
  return config
}

function requireDistinctPorts({ kafka, clickhouse }: EmbeddedConfig): void {
  const ports: readonly (readonly [string, number | undefined])[] = [
    ['SPANMETER_KAFKA_PORT', kafka?.port],
    ['SPANMETER_KAFKA_CONTROLLER_PORT', kafka?.controllerPort],
    ['SPANMETER_CLICKHOUSE_HTTP_PORT', clickhouse?.httpPort],
    ['SPANMETER_CLICKHOUSE_NATIVE_PORT', clickhouse?.nativePort],
  ]
  const clashes = ports.flatMap(([name, value], index) => {
    const earlier = ports.slice(0, index).find((other) => other[1] === value)
    return value === undefined || earlier === undefined
      ? []
      : [`  ${name}=${value}: is also the value of ${earlier[0]}, and must differ from it`]
  })
  if (clashes.length > 0)
    throw new ConfigError(`Configuration is not valid:\n${clashes.join('\n')}`)
}
