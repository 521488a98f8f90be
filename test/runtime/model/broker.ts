import {
  type Committed,
  type KafkaRecord,
  LostPartitionError,
  type NewRecord,
} from '../../../services/runtime/records.ts'
import type { Random } from '../../alert/random.ts'
import type { Actor } from './world.ts'

/** One partition's records, those before `start` deleted. Offsets may have gaps, as after transactions. */
interface Log {
  records: KafkaRecord[]
  start: bigint
  end: bigint
}

interface Member {
  readonly actor: Actor
  /** Set while it waits for the others to join again. */
  joined: ((assigned: Assigned) => void) | undefined
}

/** What a member is given when the group has been shared out. */
export interface Assigned {
  readonly generation: number
  readonly partitions: readonly number[]
}

interface Group {
  readonly topic: string
  generation: number
  isPreparing: boolean
  readonly members: Map<string, Member>
  readonly commits: Map<number, Committed>
}

/** Rules of Kafka that a mutation may break. */
export interface BrokerRules {
  /** Refuse commits of those who are no member of this generation. */
  readonly fencesZombies: boolean
  readonly keepsMetadata: boolean
  /** A reader whose offset is deleted goes on behind; its commit stays. */
  readonly keepsCommits: boolean
}

/**
 * Kafka as far as the loop can tell: logs, groups with generations, and commits with metadata, which
 * are taken of members of the present generation alone. Everything here happens at once; what takes
 * time, and what fails, is up to those who call.
 */
export class Broker {
  readonly groups = new Map<string, Group>()
  /** Every record that was ever written, by topic. */
  readonly history = new Map<string, (KafkaRecord & { readonly partition: number })[]>()
  readonly #logs = new Map<string, Log[]>()
  readonly #random: Random
  readonly rules: BrokerRules
  /** Goes on by one with every record: the broker's clock. */
  #timeMs = 1_000
  #memberNumber = 0

  constructor(random: Random, rules: BrokerRules) {
    this.#random = random
    this.rules = rules
  }

  makeTopic(topic: string, partitions: number): void {
    const logs = Array.from({ length: partitions }, () => ({ records: [], start: 0n, end: 0n }))
    this.#logs.set(topic, logs)
    this.history.set(topic, [])
  }

  makeGroup(name: string, topic: string): void {
    const members = new Map<string, Member>()
    this.groups.set(name, {
      topic,
      generation: 0,
      isPreparing: false,
      members,
      commits: new Map(),
    })
  }

  partitions(topic: string): readonly Log[] {
    const logs = this.#logs.get(topic)
    if (logs === undefined) throw new Error(`there is no topic ${topic}`)
    return logs
  }

  log(topic: string, partition: number): Log {
    const log = this.partitions(topic)[partition]
    if (log === undefined) throw new Error(`there is no partition ${topic}/${partition}`)
    return log
  }

  append(topic: string, { partition, value, headers }: NewRecord): void {
    const log = this.log(topic, partition)
    // A marker of a transaction takes an offset that no reader sees.
    if (this.#random.whole(1, 20) === 1) log.end++
    const record = { offset: log.end++, timeMs: this.#timeMs++, value, headers }
    log.records.push(record)
    this.history.get(topic)?.push({ ...record, partition })
  }

  /** Deletes records where all is read, which are far older than whatever comes next. */
  truncate(topic: string, partition: number, ageMs: number): void {
    const log = this.log(topic, partition)
    const groups = [...this.groups.values()].filter((group) => group.topic === topic)
    const read = groups.map(({ commits }) => commits.get(partition)?.offset ?? 0n)
    const limit = Math.min(...read.map(Number))
    if (limit <= (log.records.at(-1)?.offset ?? -1n)) return
    log.start = BigInt(this.#random.whole(Number(log.start), Math.max(Number(log.start), limit)))
    this.#timeMs += ageMs
    log.records = log.records.filter(({ offset }) => offset >= log.start)
  }

  group(name: string): Group {
    const group = this.groups.get(name)
    if (group === undefined) throw new Error(`there is no group ${name}`)
    return group
  }

  /** Enters a group, or enters it again; `joined` is called once it has been shared out. */
  join(
    name: string,
    { id: before, actor }: { id: string; actor: Actor },
    joined: (assigned: Assigned) => void,
  ): string {
    const group = this.group(name)
    const id = group.members.has(before) ? before : `member ${++this.#memberNumber}`
    group.members.set(id, { actor, joined })
    group.isPreparing = true
    return id
  }

  leave(name: string, memberId: string): void {
    const group = this.group(name)
    if (group.members.delete(memberId)) group.isPreparing = true
  }

  /** Whether every member waits for the group to be shared out. */
  canShareOut({ isPreparing, members }: Group): boolean {
    return (
      isPreparing &&
      members.size > 0 &&
      [...members.values()].every(({ joined }) => joined !== undefined)
    )
  }

  shareOut(group: Group): void {
    group.generation++
    group.isPreparing = false
    const members = [...group.members.values()]
    const { length: partitions } = this.partitions(group.topic)
    const turn = this.#random.whole(0, members.length)
    for (const [index, member] of members.entries()) {
      const own = Array.from({ length: partitions }, (_, partition) => partition).filter(
        (partition) => (partition + turn) % members.length === index,
      )
      member.joined?.({ generation: group.generation, partitions: own })
      member.joined = undefined
    }
  }

  heartbeat(name: string, memberId: string, generation: number): void {
    const group = this.group(name)
    this.#requireMember(group, memberId, generation)
    if (group.isPreparing) throw new LostPartitionError('the group is being shared out anew')
  }

  /** Until a group is shared out, members of the generation before may commit, as in Kafka. */
  commit(name: string, by: { id: string; generation: number }, at: Committed & { at: number }) {
    const group = this.group(name)
    if (this.rules.fencesZombies) this.#requireMember(group, by.id, by.generation)
    const { offset } = at
    const metadata = this.rules.keepsMetadata ? at.metadata : ''
    group.commits.set(at.at, { offset, metadata })
  }

  #requireMember(group: Group, memberId: string, generation: number): void {
    if (!group.members.has(memberId)) throw new LostPartitionError('this is no member')
    if (generation !== group.generation) throw new LostPartitionError('of another generation')
  }

  /** Whether a group has read all there is of its topic. */
  hasReadAll(group: Group): boolean {
    return this.partitions(group.topic).every(({ records }, partition) => {
      const last = records.at(-1)
      const committed = group.commits.get(partition)
      if (last === undefined) return true
      return committed !== undefined && committed.offset > last.offset
    })
  }
}
