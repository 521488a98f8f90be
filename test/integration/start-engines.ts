import type { StartedTestContainer } from 'testcontainers'
import { parseEmbeddedConfig } from '../../services/embedded/config.ts'
import { startEngines, type Engines } from '../../services/embedded/engines.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'

/** A real Kafka and a real ClickHouse for tests, wherever they run. */
export interface TestEngines {
  readonly brokers: readonly string[]
  readonly clickhouseUrl: string
  /** Port of ClickHouse's native protocol on this machine. */
  readonly clickhouseNativePort: number
  stop(): Promise<void>
}

/** Where embedded engines keep their data, and how their progress is told. */
export interface TestEnginesOptions {
  readonly dataDir: string
  readonly onProgress: (engine: string, message: string) => void
}

const KAFKA_IMAGE = 'apache/kafka:4.1.1'
const CLICKHOUSE_IMAGE = 'clickhouse/clickhouse-server:26.7'
const STARTUP_TIMEOUT_MS = 120_000

/**
 * Starts Kafka and ClickHouse in containers where a Docker engine answers, and embedded where none
 * does or SPANMETER_TEST_ENGINES is `embedded`.
 */
export async function startTestEngines(options: TestEnginesOptions): Promise<TestEngines> {
  const embedded = process.env['SPANMETER_TEST_ENGINES'] === 'embedded' || !(await dockerAnswers())
  return embedded ? startEmbeddedEngines(options) : startContainers()
}

/** Starts an embedded pair on free ports. */
export async function startEmbeddedEngines(
  options: TestEnginesOptions,
): Promise<Engines & TestEngines> {
  const [kafka, http, native = 0] = await findFreePorts(3)
  const config = parseEmbeddedConfig({
    HOME: process.env['HOME'],
    SPANMETER_CACHE_DIR: process.env['SPANMETER_CACHE_DIR'],
    SPANMETER_DATA_DIR: options.dataDir,
    SPANMETER_KAFKA_PORT: String(kafka),
    SPANMETER_CLICKHOUSE_HTTP_PORT: String(http),
    SPANMETER_CLICKHOUSE_NATIVE_PORT: String(native),
  })
  const engines = await startEngines(config, { onProgress: options.onProgress })
  return { ...engines, clickhouseNativePort: native }
}

// testcontainers is loaded only here and below: it takes a second that embedded engines need not wait for.
async function dockerAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  try {
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

async function startContainers(): Promise<TestEngines> {
  const started = await Promise.allSettled([startKafkaContainer(), startClickHouseContainer()])
  const [kafka, clickhouse] = started
  const stop = async (): Promise<void> => {
    const running = started.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.container] : [],
    )
    await Promise.all(running.map((container) => container.stop()))
  }
  if (kafka.status === 'rejected' || clickhouse.status === 'rejected') {
    await stop()
    const causes = started.flatMap((result) =>
      result.status === 'rejected' ? [result.reason] : [],
    )
    throw new AggregateError(causes, 'The containers of Kafka and ClickHouse did not start')
  }
  return {
    brokers: [kafka.value.address],
    clickhouseUrl: clickhouse.value.address,
    clickhouseNativePort: clickhouse.value.container.getMappedPort(9000),
    stop,
  }
}

interface Container {
  readonly container: StartedTestContainer
  readonly address: string
}

// A broker tells its clients its own address, so the port on the host must be known before it starts.
async function startKafkaContainer(): Promise<Container> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const [port = 0] = await findFreePorts(1)
  const container = await new GenericContainer(KAFKA_IMAGE)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '8',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_MESSAGE_MAX_BYTES: '83886080',
      KAFKA_REPLICA_FETCH_MAX_BYTES: '83886080',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(STARTUP_TIMEOUT_MS)
    .start()
  return { container, address: `127.0.0.1:${port}` }
}

async function startClickHouseContainer(): Promise<Container> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(CLICKHOUSE_IMAGE)
    .withExposedPorts(8123, 9000)
    // Without it the image closes `default`, which has no password, to the network.
    .withEnvironment({ CLICKHOUSE_SKIP_USER_SETUP: '1', TZ: 'UTC' })
    .withUlimits({ nofile: { soft: 262_144, hard: 262_144 } })
    .withWaitStrategy(Wait.forHttp('/ping', 8123).forStatusCode(200))
    .withStartupTimeout(STARTUP_TIMEOUT_MS)
    .start()
  return { container, address: `http://${container.getHost()}:${container.getMappedPort(8123)}` }
}
