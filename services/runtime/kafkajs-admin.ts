import { setTimeout as delay } from 'node:timers/promises'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import type { TopicSpec } from './kafka.ts'
import { classified, isClassified } from './kafkajs-errors.ts'
import type { Committed } from './records.ts'

const { ConfigResourceTypes, KafkaJSError } = kafkajs

/** Makes the topics that are missing; gives their names. */
export async function ensureTopics(
  admin: Admin,
  topics: readonly TopicSpec[],
  name: (plain: string) => string,
): Promise<readonly string[]> {
  const existing = new Set(await admin.listTopics())
  const missing = topics.filter(({ topic }) => !existing.has(name(topic)))
  if (missing.length === 0) return []
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map(({ topic, partitions, replicationFactor, config }) => ({
      topic: name(topic),
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    })),
  })
  return missing.map(({ topic }) => name(topic))
}

/**
 * Number of partitions of a topic. It is asked for by an admin of its own: for a moment kafkajs knows
 * of that topic alone then, and whoever asked the same admin for another's offsets got those of none.
 */
export async function countPartitions(client: Kafka, topic: string): Promise<number> {
  const admin = client.admin()
  try {
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0]?.partitions.length ?? 0
  } finally {
    await admin.disconnect()
  }
}

/** Records that a group has still to read, by partition. */
export async function lags(
  admin: Admin,
  group: string,
  topic: string,
): Promise<ReadonlyMap<number, bigint>> {
  const ranges = await fetchRanges(admin, topic)
  const committed = await openCommits(admin, group, topic)
  return new Map(
    [...ranges].map(([partition, { low, high }]) => {
      const at = committed(partition)?.offset ?? low
      return [partition, high > at ? high - at : 0n]
    }),
  )
}

/** A partition, and the offset behind its last record as its reader sees it. */
interface Read {
  readonly topic: string
  readonly partition: number
  readonly end: bigint
}

/**
 * What a group committed last for a partition; undefined for nothing. Throws TransientError where
 * Kafka does not say, such as while the group moves to another broker, and where the commit lies beyond
 * the end: a power loss may take records of a log and leave the commit, and who went on then would pass
 * over new records as if they had been read.
 */
export function fetchCommitted(
  admin: Pick<Admin, 'fetchOffsets'>,
  groupId: string,
  { topic, partition, end }: Read,
): Promise<Committed | undefined> {
  return classified(async () => {
    const committed = (await openCommits(admin, groupId, topic))(partition)
    if (committed === undefined || committed.offset <= end) return committed
    throw new KafkaJSError(
      `${groupId} has read ${topic}/${partition} up to ${committed.offset}, and it ends at ${end}: Kafka ` +
        'has lost records. See "A log that was cut" in docs/operations.md.',
    )
  })
}

/**
 * Asks what a group committed. Kafka answers for each partition that it is asked for, with -1 for
 * nothing, and kafkajs throws the errors that stand in the answer. But it asks only for partitions
 * that it knows of just then: of one that is missing nothing is known, least of all that nothing was
 * committed. The error is kafkajs's own, which fetches again when it sees it.
 */
async function openCommits(
  admin: Pick<Admin, 'fetchOffsets'>,
  groupId: string,
  topic: string,
): Promise<(partition: number) => Committed | undefined> {
  const answer = await admin.fetchOffsets({ groupId, topics: [topic] })
  const partitions = answer.find((entry) => entry.topic === topic)?.partitions
  return (partition) => {
    const own = partitions?.find((entry) => entry.partition === partition)
    if (own === undefined) {
      throw new KafkaJSError(`no answer what ${groupId} committed for ${topic}/${partition}`)
    }
    if (Number(own.offset) < 0) return undefined
    return { offset: BigInt(own.offset), metadata: own.metadata ?? '' }
  }
}

export interface StartOptions {
  readonly client: Kafka
  readonly admin: Admin
  readonly groupId: string
  readonly topic: string
}

const EMPTY_GROUP = new Set(['Dead', 'Empty'])
const START_TRIES = 240
const START_WAIT_MS = 250

/**
 * Commits the end of each partition of which a group has read nothing yet. Where the group has
 * members, another process is just starting it, and is waited for; members that go on without an
 * offset have begun at the start already, and may.
 */
export async function startAtEnd(options: StartOptions): Promise<void> {
  for (let attempt = 1; attempt <= START_TRIES; attempt++) {
    try {
      if (await classified(() => hasStarted(options))) return
    } catch (error) {
      // A group that nobody has used yet has no coordinator at first; or it is being shared out anew.
      if (!isClassified(error) || attempt === START_TRIES) throw error
    }
    await delay(START_WAIT_MS)
  }
}

/** Whether the group has an offset for each partition; where it has no members, gives it those. */
async function hasStarted(options: StartOptions): Promise<boolean> {
  const { admin, groupId } = options
  if ((await unread(options)).length === 0) return true
  if (await hasMembers(admin, groupId)) return false
  await commitEnds(options)
  return (await unread(options)).length === 0
}

/** The partitions that a group has no offset for, each with its end. */
async function unread({ admin, groupId, topic }: StartOptions) {
  const committed = await openCommits(admin, groupId, topic)
  const ends = await admin.fetchTopicOffsets(topic)
  return ends
    .filter(({ partition }) => committed(partition) === undefined)
    .map(({ partition, high: offset }) => ({ topic, partition, offset }))
}

/**
 * Commits ends as a member of the group, for the partitions that it was given: so no offset is
 * overwritten that another member has committed since it was looked for.
 */
async function commitEnds(options: StartOptions): Promise<void> {
  const consumer = options.client.consumer({
    groupId: options.groupId,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 1_024,
    allowAutoTopicCreation: false,
  })
  let given: readonly number[] = []
  consumer.on('consumer.group_join', ({ payload }) => {
    given = payload.memberAssignment[options.topic] ?? []
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatch: async () => undefined })
    const ours = given
    const missing = (await unread(options)).filter(({ partition }) => ours.includes(partition))
    // Another assignment has come meanwhile: what was looked up may be another member's.
    if (ours === given && missing.length > 0) await consumer.commitOffsets(missing)
  } finally {
    await consumer.disconnect()
  }
}

/** First and next offset of each partition. */
export interface OffsetRange {
  readonly low: bigint
  readonly high: bigint
}

/** Of each partition of a topic the first offset that is there, and the one that comes next. */
export async function fetchRanges(
  admin: Admin,
  topic: string,
): Promise<ReadonlyMap<number, OffsetRange>> {
  const ends = await classified(() => admin.fetchTopicOffsets(topic))
  return new Map(
    ends.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]),
  )
}

/** What a group committed for each of the given partitions of a topic. */
export function fetchCommits(
  admin: Admin,
  groupId: string,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Committed | undefined>> {
  return classified(async () => {
    const committed = await openCommits(admin, groupId, topic)
    return new Map(partitions.map((partition) => [partition, committed(partition)]))
  })
}

/** Removes what lies before an offset of each partition: for all readers, for good. */
export async function deleteRecords(
  admin: Admin,
  topic: string,
  before: ReadonlyMap<number, bigint>,
): Promise<void> {
  if (before.size === 0) return
  // kafkajs looks for the leaders of partitions among the topics that it has asked about before.
  await classified(() => admin.fetchTopicOffsets(topic))
  const partitions = [...before].map(([partition, offset]) => ({
    partition,
    offset: String(offset),
  }))
  await classified(() => admin.deleteTopicRecords({ topic, partitions }))
}

/** Whether somebody reads in a group at this moment. */
export async function hasMembers(admin: Admin, groupId: string): Promise<boolean> {
  const { groups } = await classified(() => admin.describeGroups([groupId]))
  return groups.some(({ state }) => !EMPTY_GROUP.has(state))
}

/** How long Kafka keeps records of a topic; undefined for as long as they are not replaced. */
export async function fetchRetentionMs(admin: Admin, topic: string): Promise<number | undefined> {
  const names = ['retention.ms', 'cleanup.policy']
  const { resources } = await classified(() =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: names }],
    }),
  )
  const values = new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  )
  const ms = Number(values.get('retention.ms') ?? -1)
  return ms < 0 || values.get('cleanup.policy') === 'compact' ? undefined : ms
}
