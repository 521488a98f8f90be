import { pino } from 'pino'
import { REQUEST_HEADER } from '../../../services/runtime/checkpoint.ts'
import type { Consumer } from '../../../services/runtime/kafka.ts'
import { runRecordLoop } from '../../../services/runtime/record-loop.ts'
import type { KafkaRecord } from '../../../services/runtime/records.ts'
import { Broker } from './broker.ts'
import { Client } from './client.ts'
import { Database } from './database.ts'
import { type Mutation, RIGHT } from './mutations.ts'
import {
  expectedRows,
  INPUT,
  PARTITIONS,
  TABLES,
  TOPICS,
  type Worker,
  WORKERS,
} from './topology.ts'
import { type Action, type Actor, World } from './world.ts'

/** One life of the pipeline: what is sent, and how rough it gets. */
export interface Plan {
  readonly seed: number
  /** Numbers of requests in the order in which they are sent: some come again. */
  readonly sent: readonly number[]
  readonly copies: number
  /** Of a hundred requests over the network, so many come to grief. */
  readonly faults: number
  /** Of about four hundred steps so many kill something. */
  readonly crashes: number
  /** Of as many, so many take partitions away from who has them. */
  readonly moves: number
  /** Of as many, so many make a process join its group again with batches under way. */
  readonly leaders: number
  /** Of as many, so many delete what has been read. */
  readonly deletions: number
  /** A request that comes again after so many others counts twice. */
  readonly horizonMs: number
}

interface Copy {
  readonly worker: Worker
  readonly number: number
  actor: Actor
  client: Client | undefined
  consumer: Consumer | undefined
}

/** What a run came to: empty where it is as it should be. */
export interface Verdict {
  readonly wrong: readonly string[]
  readonly trace: readonly string[]
  readonly steps: number
}

const ROUGH_STEPS = 1_500
const HEALING_STEPS = 20_000
const logger = pino({ level: 'silent' })

/** Runs the real loop and the real stages through one interleaving, heals everything, and counts. */
export async function runPlan(plan: Plan, beat: () => void, mutation = RIGHT): Promise<Verdict> {
  const run = new Run(plan, beat, mutation)
  return run.verdict()
}

class Run {
  readonly #plan: Plan
  readonly #mutation: Mutation
  readonly #world: World
  readonly #broker: Broker
  readonly #database: Database
  readonly #copies: readonly Copy[]
  readonly #beat: () => void
  readonly #bugs: string[] = []
  #sent = 0

  constructor(plan: Plan, beat: () => void, mutation: Mutation) {
    this.#plan = plan
    this.#mutation = mutation
    this.#beat = beat
    this.#world = new World(plan.seed, plan.faults)
    this.#broker = new Broker(this.#world.random, mutation)
    this.#database = new Database(this.#world, TABLES, mutation)
    for (const topic of TOPICS) this.#broker.makeTopic(topic, PARTITIONS)
    for (const { group, topic } of WORKERS) this.#broker.makeGroup(group, topic)
    this.#copies = WORKERS.flatMap((worker) =>
      Array.from({ length: plan.copies }, (_, number) => ({
        worker,
        number,
        actor: { name: '', alive: false },
        client: undefined,
        consumer: undefined,
      })),
    )
  }

  async verdict(): Promise<Verdict> {
    const world = this.#world
    try {
      await world.run(
        () => this.#actions(),
        () => world.steps >= ROUGH_STEPS || this.#isDone(),
        2 * ROUGH_STEPS,
      )
      world.isHealing = true
      await world.run(
        () => this.#actions(),
        () => this.#isDone(),
        HEALING_STEPS,
      )
    } catch (error) {
      this.#bugs.push(String(error))
    }
    return {
      wrong: [...this.#bugs, ...this.#differences()],
      trace: world.trace,
      steps: world.steps,
    }
  }

  #isDone(): boolean {
    return (
      this.#bugs.length > 0 ||
      (this.#sent === this.#plan.sent.length &&
        this.#world.late.length === 0 &&
        [...this.#broker.groups.values()].every((group) => this.#broker.hasReadAll(group)))
    )
  }

  #differences(): readonly string[] {
    const expected = expectedRows(this.#counted())
    return [...this.#database.tables].flatMap(([name, { rows }]) => {
      const wanted = expected.get(name) ?? []
      const found = rows.toSorted()
      return wanted.join() === found.join()
        ? []
        : [`${name}: wanted ${wanted.join()}, found ${found.join()}`]
    })
  }

  /** The requests that count, by what docs/guarantees.md promises of those that are sent again. */
  #counted(): readonly KafkaRecord[] {
    const last = new Map<string, number>()
    return (this.#broker.history.get(INPUT) ?? []).filter(({ value, timeMs }) => {
      const before = last.get(value.toString())
      last.set(value.toString(), timeMs)
      return before === undefined || timeMs - before > this.#plan.horizonMs
    })
  }

  /** What may happen now beside that a process goes on. */
  #actions(): readonly Action[] {
    const { random, late } = this.#world
    const crashes = this.#plan.crashes / 100
    const moves = this.#plan.moves / 100
    const leaders = this.#plan.leaders / 100
    const deletions = this.#plan.deletions / 100
    const actions: Action[] = [
      { name: 'beat', weight: 0.1, heals: false, run: this.#beat },
      {
        name: 'clickhouse dies',
        weight: crashes,
        heals: false,
        run: () => this.#database.restart(),
      },
      { name: 'a process dies', weight: crashes, heals: false, run: () => this.#killOne() },
      {
        name: 'a process is stopped',
        weight: crashes / 2,
        heals: false,
        run: () => this.#stopOne(),
      },
      {
        name: 'a leader moves',
        weight: leaders,
        heals: false,
        run: () => this.#pick()?.client?.joinAgain(),
      },
      { name: 'records are deleted', weight: deletions, heals: false, run: () => this.#delete() },
      {
        name: 'a member is evicted',
        weight: moves,
        heals: false,
        run: () => this.#evictOne(false),
      },
      { name: 'a process freezes', weight: moves, heals: false, run: () => this.#evictOne(true) },
    ]
    if (this.#sent < this.#plan.sent.length) {
      actions.push({ name: 'send', weight: 0.4, heals: true, run: () => this.#send() })
    }
    const [lateOne] = late.length === 0 ? [] : [random.whole(0, late.length - 1)]
    if (lateOne !== undefined) {
      const run = () => late.splice(lateOne, 1)[0]?.deliver()
      actions.push({ name: `late: ${late[lateOne]?.what}`, weight: 0.2, heals: true, run })
    }
    for (const copy of this.#copies) {
      const { actor } = copy
      if (actor.frozen === true) {
        const run = () => void (actor.frozen = false)
        actions.push({ name: `${actor.name} thaws`, weight: 0.1, heals: true, run })
      }
      if (actor.alive) continue
      actions.push({ name: 'start', weight: 0.6, heals: true, run: () => this.#start(copy) })
    }
    for (const [name, group] of this.#broker.groups) {
      if (this.#broker.canShareOut(group)) {
        const run = () => this.#broker.shareOut(group)
        actions.push({ name: `share out ${name}`, weight: 1, heals: true, run })
      }
      for (const [id, { actor }] of group.members) {
        if (actor.alive) continue
        const run = () => this.#broker.leave(name, id)
        actions.push({ name: `${id} is missed`, weight: 0.4, heals: true, run })
      }
    }
    return actions
  }

  #send(): void {
    const request = this.#plan.sent[this.#sent++] ?? 0
    this.#broker.append(INPUT, {
      partition: request % PARTITIONS,
      key: null,
      value: Buffer.from(String(request)),
      headers: { [REQUEST_HEADER]: `${request}/0` },
    })
  }

  #start(copy: Copy): void {
    const { worker, number } = copy
    const actor = { name: `${worker.group} ${number}`, alive: true }
    const client = new Client(this.#world, this.#broker, actor, this.#mutation.assignment())
    const { writer } = client
    const insert = this.#mutation.insert((one) => this.#database.insert(actor, one))
    const stage = worker.stage(
      { writer: this.#mutation.writer(writer), insert },
      this.#world.random.whole(1, 60),
    )
    copy.actor = actor
    copy.client = client
    copy.consumer = undefined
    void runRecordLoop({
      kafka: client.kafka,
      group: worker.group,
      topic: worker.topic,
      stage: this.#mutation.stage(stage),
      fetch: { minBytes: 1, maxWaitMs: 1, maxBytesPerPartition: 1 },
      repeats: { horizonMs: this.#plan.horizonMs, maxRequests: 1_000 },
      observer: { handled: () => undefined, retried: () => undefined },
      logger,
      onFatal: (error) => this.#bugs.push(`${actor.name}: ${error.stack}`),
    }).then((consumer) => (copy.consumer = consumer))
  }

  #killOne(): void {
    const copy = this.#pick()
    if (copy !== undefined) this.#world.kill(copy.actor)
  }

  /** Ends after the batch under way, as on SIGTERM. */
  #stopOne(): void {
    const { consumer, actor } = this.#pick() ?? {}
    if (consumer === undefined || actor === undefined) return
    void consumer.stop().then(() => this.#world.kill(actor))
  }

  /** Kafka keeps records for days, so that what is as old as that is no repeat of anything. */
  #delete(): void {
    const { random } = this.#world
    const partition = random.whole(0, PARTITIONS - 1)
    const topic = TOPICS[random.whole(0, TOPICS.length - 1)] ?? INPUT
    this.#broker.truncate(topic, partition, this.#plan.horizonMs + 1)
  }

  /** A member that Kafka hears nothing of, be it frozen or only slow: it does not know that it is out. */
  #evictOne(freezes: boolean): void {
    const groups = [...this.#broker.groups]
    const [name, group] = groups[this.#world.random.whole(0, groups.length - 1)] ?? []
    if (name === undefined || group === undefined) return
    const members = [...group.members]
    const [id, member] = members[this.#world.random.whole(0, members.length - 1)] ?? []
    if (id === undefined || member === undefined || member.joined !== undefined) return
    if (freezes) member.actor.frozen = true
    this.#broker.leave(name, id)
  }

  #pick(): Copy | undefined {
    return this.#copies[this.#world.random.whole(0, this.#copies.length - 1)]
  }
}
