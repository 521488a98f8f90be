import { NOTIFY_GROUPS, type Reader, readerGroups, readers } from '#schemas/readers.ts'
import {
  alertDeliveries,
  alerts,
  alertState,
  deadLetters,
  enrichedSpans,
  evaluations,
  observations,
  otlpSpans,
  spanAggregates,
  spans,
  topics,
} from '#schemas/topics.ts'

/** Who connects to Kafka, each as a user of its own. */
export const KAFKA_ROLES = ['ingest', 'enrich', 'sink', 'alert', 'operator', 'producer'] as const
export type KafkaRole = (typeof KAFKA_ROLES)[number]

/** One thing that a role may do, in the words of Kafka's authorizer. */
export interface KafkaAcl {
  readonly role: KafkaRole
  readonly resource: 'topic' | 'group' | 'cluster'
  readonly name: string
  /** Whether the name is a whole one, or only how names begin. */
  readonly pattern: 'literal' | 'prefixed'
  readonly operation: 'Read' | 'Write' | 'Describe' | 'All' | 'Create'
}

/** Kafka calls the only cluster so. */
const CLUSTER = 'kafka-cluster'

type Worker = 'ingest' | 'enrich' | 'sink' | 'alert'

const WRITES: Readonly<Record<Worker, readonly string[]>> = {
  ingest: names([spans, evaluations, deadLetters]),
  enrich: names([enrichedSpans, evaluations, deadLetters]),
  sink: names([deadLetters]),
  alert: names([spanAggregates, alerts, alertDeliveries, alertState, observations]),
}

const READS: Readonly<Record<Worker, readonly Reader[]>> = {
  ingest: [readers.ingest],
  enrich: [readers.enrich],
  sink: Object.values(readers).filter(({ group }) => group.startsWith('sink')),
  alert: Object.values(readers).filter(({ group }) => group.startsWith('alert-')),
}

/**
 * The least that each role needs, for topics and groups with this prefix. Kafka takes Read and Write to
 * mean Describe as well.
 */
export function kafkaAcls(prefix: string): readonly KafkaAcl[] {
  return [
    ...(['ingest', 'enrich', 'sink', 'alert'] as const).flatMap((role) => workerAcls(role, prefix)),
    ...alertAcls(prefix),
    ...operatorAcls(prefix),
    literal('producer', 'topic', prefix + otlpSpans.name, 'Write'),
  ]
}

function workerAcls(role: Worker, prefix: string): readonly KafkaAcl[] {
  const read = new Set(READS[role].map(({ topic }) => topic))
  return [
    ...[...read].map((topic) => literal(role, 'topic', prefix + topic, 'Read')),
    ...READS[role].map(({ group }) => literal(role, 'group', prefix + group, 'Read')),
    ...WRITES[role].map((topic) => literal(role, 'topic', prefix + topic, 'Write')),
  ]
}

/** Beside its own topics alert reads its state, and watches how far every worker is behind. */
function alertAcls(prefix: string): readonly KafkaAcl[] {
  const others = Object.values(readers).filter((reader) => !READS.alert.includes(reader))
  const known = new Set([...READS.alert.map(({ topic }) => topic), ...WRITES.alert])
  const watched = others.map(({ topic }) => topic).filter((topic) => !known.has(topic))
  return [
    literal('alert', 'topic', prefix + alerts.name, 'Read'),
    literal('alert', 'topic', prefix + alertState.name, 'Read'),
    prefixed('alert', 'group', prefix + NOTIFY_GROUPS, 'Read'),
    prefixed('alert', 'group', readerGroups(prefix + alertState.name), 'Read'),
    ...watched.map((topic) => literal('alert', 'topic', prefix + topic, 'Describe')),
    ...others.map(({ group }) => literal('alert', 'group', prefix + group, 'Describe')),
  ]
}

/** An operator makes topics, prices again, replays, erases: whatever is ours, and nothing else. */
function operatorAcls(prefix: string): readonly KafkaAcl[] {
  const groups = prefix === '' ? '*' : prefix
  return [
    literal('operator', 'cluster', CLUSTER, 'Create'),
    literal('operator', 'cluster', CLUSTER, 'Describe'),
    ...topics.map(({ name }) => literal('operator', 'topic', prefix + name, 'All')),
    prefix === ''
      ? literal('operator', 'group', groups, 'All')
      : prefixed('operator', 'group', groups, 'All'),
  ]
}

function literal(
  role: KafkaRole,
  resource: KafkaAcl['resource'],
  name: string,
  operation: KafkaAcl['operation'],
): KafkaAcl {
  return { role, resource, name, pattern: 'literal', operation }
}

function prefixed(
  role: KafkaRole,
  resource: KafkaAcl['resource'],
  name: string,
  operation: KafkaAcl['operation'],
): KafkaAcl {
  return { ...literal(role, resource, name, operation), pattern: 'prefixed' }
}

function names(of: readonly { readonly name: string }[]): readonly string[] {
  return of.map(({ name }) => name)
}
