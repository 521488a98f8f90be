import type { ConsumeOptions, Consumer, Kafka } from '../../../services/runtime/kafka.ts'
import {
  type BatchControl,
  type KafkaRecord,
  LostPartitionError,
  type RecordBatch,
  type RecordWriter,
  TransientError,
} from '../../../services/runtime/records.ts'
import { Assignment } from '../../../services/runtime/assignment.ts'
import type { Broker } from './broker.ts'
import type { Actor, World } from './world.ts'

/** Where a process stands in its group. */
interface Membership {
  id: string
  generation: number
  partitions: readonly number[]
  /** Offset of the next fetch, by partition, once it is known. */
  positions: Map<number, bigint>
}

const unreachable = () => new TransientError('Kafka does not answer')
const MAX_FETCH = 4

const no = () => Promise.reject(new Error('the loop does not need it'))

/** A process's way to the broker: every call takes a while, and may fail. */
export class Client {
  readonly #world: World
  readonly #broker: Broker
  readonly #actor: Actor
  readonly #assignment: Assignment
  #session: Session | undefined

  constructor(world: World, broker: Broker, actor: Actor, assignment = new Assignment()) {
    this.#world = world
    this.#broker = broker
    this.#actor = actor
    this.#assignment = assignment
  }

  /** Joins the group again whatever is under way, as kafkajs does when a leader has moved. */
  joinAgain(): void {
    void this.#session?.joinAgain()
  }

  /** What runRecordLoop needs of Kafka. */
  get kafka(): Kafka {
    return {
      name: (plain) => plain,
      ensureTopics: no,
      partitions: no,
      lag: no,
      lags: no,
      startAtEnd: no,
      openWriter: no,
      readPartition: no,
      close: no,
      consume: (options) => Promise.resolve(this.#consume(options)),
    }
  }

  /** Writes may come to Kafka after their sender has given them up, and be there twice. */
  get writer(): RecordWriter {
    return {
      write: async (topic, records) => {
        const byPartition = Map.groupBy(records, ({ partition }) => partition)
        for (const [partition, own] of byPartition) {
          await this.#world.request(this.#actor, `write ${own.length} to ${topic}/${partition}`, {
            apply: () => own.forEach((record) => this.#broker.append(topic, record)),
            failure: unreachable,
            mayBeLate: true,
          })
        }
      },
    }
  }

  #consume(options: ConsumeOptions): Consumer {
    const membership = { id: '', generation: 0, partitions: [], positions: new Map() }
    const cluster = { world: this.#world, broker: this.#broker, assignment: this.#assignment }
    const session = new Session(options, cluster, this.#actor, membership)
    this.#session = session
    const ended = session.run()
    return {
      async stop() {
        session.isStopping = true
        await ended
      },
    }
  }
}

interface Cluster {
  readonly world: World
  readonly broker: Broker
  readonly assignment: Assignment
}

/** A consumer as kafkajs is one: fetches, hands over batch after batch, joins again when told to. */
class Session {
  isStopping = false
  readonly #options: ConsumeOptions
  readonly #world: World
  readonly #broker: Broker
  readonly #assignment: Assignment
  readonly #actor: Actor
  readonly #member: Membership
  #joining: Promise<void> | undefined
  /** Where the next fetch of a partition starts, if the loop said so. */
  readonly #seeks = new Map<number, bigint>()

  constructor(options: ConsumeOptions, cluster: Cluster, actor: Actor, member: Membership) {
    this.#options = options
    this.#world = cluster.world
    this.#broker = cluster.broker
    this.#assignment = cluster.assignment
    this.#actor = actor
    this.#member = member
  }

  async run(): Promise<void> {
    await this.#join()
    while (!this.isStopping) {
      const isMember = await this.#fetchOnce()
      if (!isMember && !this.isStopping) await this.#join()
    }
    await this.#world.step(this.#actor)
    this.#broker.leave(this.#options.group, this.#member.id)
  }

  /** Joins while a batch may be under way. */
  async joinAgain(): Promise<void> {
    if (this.#joining === undefined && !this.isStopping) await this.#join()
  }

  async #join(): Promise<void> {
    await this.#joining
    this.#joining = this.#joinOnce()
    await this.#joining
    this.#joining = undefined
  }

  async #joinOnce(): Promise<void> {
    await this.#world.step(this.#actor)
    const { generation, partitions } = await new Promise<{
      generation: number
      partitions: readonly number[]
    }>((resolve) => {
      const member = { id: this.#member.id, actor: this.#actor }
      this.#member.id = this.#broker.join(this.#options.group, member, resolve)
    })
    await this.#world.step(this.#actor)
    Object.assign(this.#member, { generation, partitions, positions: new Map() })
    this.#world.trace.push(`${this.#actor.name}: assigned ${partitions.join()}`)
    this.#assignment.renew(partitions)
    this.#options.onAssigned(partitions)
  }

  /** One fetch of all partitions, and its batches; false when the process is no member any more. */
  async #fetchOnce(): Promise<boolean> {
    await this.#world.step(this.#actor, () => this.#hasWork())
    const batches = this.#fetch()
    let isMember = true
    if (batches.length === 0) isMember = await this.#isMember(() => this.#heartbeat())
    for (const batch of batches) {
      if (this.isStopping || this.#seeks.has(batch.partition)) continue
      // The other batches of a fetch are handled though one has failed.
      isMember = (await this.#isMember(() => this.#handle(batch))) && isMember
    }
    return isMember
  }

  /** Whether a fetch would be answered at once, or something else is to be done. */
  #hasWork(): boolean {
    const { group: name, topic } = this.#options
    const { id, generation, partitions, positions } = this.#member
    const group = this.#broker.group(name)
    if (this.isStopping || group.isPreparing || generation !== group.generation) return true
    if (!group.members.has(id) || this.#seeks.size > 0) return true
    return partitions.some((partition) => {
      const last = this.#broker.log(topic, partition).records.at(-1)
      const position = positions.get(partition) ?? group.commits.get(partition)?.offset ?? 0n
      return last !== undefined && last.offset >= position
    })
  }

  async #isMember(task: () => Promise<void>): Promise<boolean> {
    try {
      await task()
      return true
    } catch (error) {
      if (error instanceof LostPartitionError) return false
      if (error instanceof TransientError) return true
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)))
      this.#world.kill(this.#actor)
      return new Promise(() => undefined)
    }
  }

  #fetch(): readonly RecordBatch[] {
    const { random } = this.#world
    const turn = random.whole(0, 1)
    const partitions = turn === 0 ? this.#member.partitions : this.#member.partitions.toReversed()
    return partitions.flatMap((partition) => {
      const { records, start, end } = this.#broker.log(this.#options.topic, partition)
      const position = this.#position(partition, start)
      const ready = records.filter(({ offset }) => offset >= position)
      const batch: readonly KafkaRecord[] = ready.slice(0, random.whole(0, MAX_FETCH))
      const last = batch.at(-1)
      if (last === undefined) return []
      return [{ partition, records: batch, nextOffset: last.offset + 1n, highWatermark: end }]
    })
  }

  /** Deleted records are stepped over. */
  #position(partition: number, start: bigint): bigint {
    const { group } = this.#options
    const { positions } = this.#member
    const { commits } = this.#broker.group(group)
    const sought = this.#seeks.get(partition)
    this.#seeks.delete(partition)
    const position = sought ?? positions.get(partition) ?? commits.get(partition)?.offset ?? start
    if (position >= start) {
      positions.set(partition, position)
      return position
    }
    if (!this.#broker.rules.keepsCommits) commits.delete(partition)
    positions.set(partition, start)
    return start
  }

  async #heartbeat(): Promise<void> {
    await this.#world.request(this.#actor, 'heartbeat', {
      apply: () =>
        this.#broker.heartbeat(this.#options.group, this.#member.id, this.#member.generation),
      failure: unreachable,
      mayBeLate: false,
    })
  }

  async #handle(batch: RecordBatch): Promise<void> {
    const { partition } = batch
    const first = batch.records[0]?.offset
    const control = this.#control(partition)
    if (control === undefined) return
    this.#world.trace.push(
      `${this.#actor.name}: handles ${this.#options.topic}/${partition} from ${first} to ${batch.nextOffset - 1n}`,
    )
    await this.#options.onBatch(batch, control)
    if (!this.#seeks.has(partition)) this.#member.positions.set(partition, batch.nextOffset)
  }

  #control(partition: number): BatchControl | undefined {
    const { group } = this.#options
    const failure = unreachable
    const control: BatchControl = {
      heartbeat: () => this.#heartbeat(),
      commit: (committed) => {
        // In the name of what the process is at the time, whatever it was when the batch was fetched.
        const by = { ...this.#member }
        const { offset, metadata } = committed
        return this.#world.request(this.#actor, `commit ${partition} ${offset} ${metadata}`, {
          apply: () => this.#broker.commit(group, by, { ...committed, at: partition }),
          failure,
          mayBeLate: false,
        })
      },
      committed: () =>
        this.#world.request(this.#actor, `committed ${partition}`, {
          apply: () => this.#broker.group(group).commits.get(partition),
          failure,
          mayBeLate: false,
        }),
      seek: (offset) => void this.#seeks.set(partition, offset),
    }
    return this.#assignment.bind(partition, control, unreachable)
  }
}
