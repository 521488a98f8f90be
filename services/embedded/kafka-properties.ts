/** Options of the broker's own configuration file. */
export interface BrokerOptions {
  readonly port: number
  readonly controllerPort: number
  readonly dataFolder: string
  readonly detours?: readonly Detour[]
}

/** A listener more, whose clients are told to come to another port: a proxy stands in between there. */
export interface Detour {
  readonly port: number
  readonly advertisedPort: number
}

const MIB = 1_048_576

/** Largest record batch, and the largest request; a record of ours is a batch of spans. */
const MAX_MESSAGE_BYTES = 80 * MIB
const MAX_REQUEST_BYTES = 100 * MIB

// Committed offsets carry what exactly-once counting rests on, so they outlive any holiday.
const OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60

/** server.properties of a single node that is broker and controller, on loopback. */
export function brokerProperties(options: BrokerOptions): string {
  const { port, controllerPort, dataFolder, detours = [] } = options
  const toListen = detours.map((one, i) => `,${nameOf(i)}://127.0.0.1:${one.port}`)
  const told = detours.map((one, i) => `,${nameOf(i)}://127.0.0.1:${one.advertisedPort}`)
  const values: readonly (readonly [string, string | number | boolean])[] = [
    ['process.roles', 'broker,controller'],
    ['node.id', 1],
    ['controller.quorum.voters', `1@127.0.0.1:${controllerPort}`],
    [
      'listeners',
      `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${toListen.join('')}`,
    ],
    ['advertised.listeners', `PLAINTEXT://127.0.0.1:${port}${told.join('')}`],
    ...namedListeners(detours.map((_, i) => nameOf(i))),
    ['controller.listener.names', 'CONTROLLER'],
    ['log.dirs', dataFolder],
    ['auto.create.topics.enable', false],
    ...ONE_NODE,
    ...SIZES,
    ...RETENTION,
  ]
  return values.map(([name, value]) => `${name}=${escapeValue(String(value))}\n`).join('')
}

function nameOf(detour: number): string {
  return `DETOUR${detour}`
}

/** Listeners of other names need to be told their protocol, and the broker which one is its own. */
function namedListeners(names: readonly string[]): readonly (readonly [string, string])[] {
  if (names.length === 0) return []
  const protocols = ['PLAINTEXT', 'CONTROLLER', ...names].map((name) => `${name}:PLAINTEXT`)
  return [
    ['inter.broker.listener.name', 'PLAINTEXT'],
    ['listener.security.protocol.map', protocols.join(',')],
  ]
}

const ONE_NODE = [
  ['default.replication.factor', 1],
  ['offsets.topic.replication.factor', 1],
  ['offsets.topic.num.partitions', 8],
  ['transaction.state.log.replication.factor', 1],
  ['transaction.state.log.min.isr', 1],
  ['transaction.state.log.num.partitions', 4],
  ['share.coordinator.state.topic.replication.factor', 1],
  ['share.coordinator.state.topic.min.isr', 1],
  ['share.coordinator.state.topic.num.partitions', 4],
  ['group.min.session.timeout.ms', 1_000],
  ['group.initial.rebalance.delay.ms', 0],
  // After kill -9 the node takes itself for a second broker until its own last session has ended.
  ['broker.session.timeout.ms', 3_000],
  ['broker.heartbeat.interval.ms', 500],
  // An idle controller writes an empty record this often; the default of 500 ms costs CPU all day.
  ['metadata.max.idle.interval.ms', 5_000],
] as const

const SIZES = [
  ['message.max.bytes', MAX_MESSAGE_BYTES],
  ['replica.fetch.max.bytes', MAX_MESSAGE_BYTES],
  ['socket.request.max.bytes', MAX_REQUEST_BYTES],
  // Requests that wait for a thread share the heap with everything else.
  ['queued.max.request.bytes', 128 * MIB],
  ['num.network.threads', 2],
  ['num.io.threads', 4],
  ['num.recovery.threads.per.data.dir', 2],
  ['log.segment.bytes', 256 * MIB],
  // The default is a quarter of our heap.
  ['log.cleaner.dedupe.buffer.size', 32 * MIB],
] as const

const RETENTION = [
  ['log.retention.hours', 72],
  ['log.retention.bytes', 4 * 1024 * MIB],
  ['offsets.retention.minutes', OFFSETS_RETENTION_MINUTES],
] as const

// A properties file takes a backslash for the start of an escape.
function escapeValue(text: string): string {
  return text.replaceAll('\\', '\\\\')
}
