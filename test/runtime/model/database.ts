import { ClickHouseError } from '../../../services/runtime/clickhouse-error.ts'
import type { InsertAvro } from '../../../services/sink/sink-stage.ts'
import type { Actor, World } from './world.ts'

/** What a table is made of, by its name: the table itself and its views. */
export interface Tables {
  readonly names: readonly string[]
  /** The items of a container file, each as a text of its own. Throws what ClickHouse would. */
  readonly read: (file: readonly Buffer[]) => readonly string[]
}

interface Table {
  readonly tokens: Set<string>
  readonly rows: string[]
}

type Insert = Parameters<InsertAvro>[0]

/**
 * ClickHouse as far as a sink can tell: an insert goes into a table and into each view on its own, one
 * after the other, and each of them drops a token that it has seen. The server may die in between, and
 * may go on with an insert that nobody waits for any more.
 */
export class Database {
  readonly tables = new Map<string, Table>()
  readonly #kinds: ReadonlyMap<string, Tables>
  readonly #world: World
  readonly #dropsRepeats: boolean
  #server: Actor = { name: 'clickhouse', alive: true }
  #waiting = new Set<(error: Error) => void>()

  constructor(
    world: World,
    kinds: Readonly<Record<string, Tables>>,
    { dropsRepeats }: { dropsRepeats: boolean },
  ) {
    this.#world = world
    this.#kinds = new Map(Object.entries(kinds))
    this.#dropsRepeats = dropsRepeats
    for (const name of Object.values(kinds).flatMap(({ names }) => names)) {
      this.tables.set(name, { tokens: new Set(), rows: [] })
    }
  }

  /** Kills the server with all that it is doing, and starts it again. */
  restart(): void {
    this.#world.kill(this.#server)
    this.#server = { name: 'clickhouse', alive: true }
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const reject of waiting) reject(unavailable())
  }

  /** The insert of a client: its answer may get lost while the server goes on. */
  async insert(actor: Actor, insert: Insert): Promise<void> {
    const request = { failure: unavailable, mayBeLate: true }
    const done = await this.#world.request(actor, `insert ${insert.token}`, {
      ...request,
      apply: () => ({ answer: this.#start(insert) }),
    })
    await done.answer
    await this.#world.step(actor)
  }

  #start(insert: Insert): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.add(reject)
    this.#write(this.#server, insert).then(resolve, reject)
    // Whoever gave the request up does not hear of it.
    promise.catch(() => undefined)
    return promise
  }

  async #write(server: Actor, { table, file, token }: Insert): Promise<void> {
    const kind = this.#kinds.get(table)
    if (kind === undefined) throw new Error(`there is no table ${table}`)
    const rows = kind.read(file)
    for (const name of kind.names) {
      await this.#world.step(server)
      const target = this.tables.get(name)
      if (target?.tokens.has(token) === true && this.#dropsRepeats) continue
      target?.tokens.add(token)
      target?.rows.push(...rows)
    }
    await this.#world.step(server)
  }
}

const unavailable = () => new ClickHouseError('refused', 'ECONNREFUSED', 'unavailable')

/** How ClickHouse refuses bytes that it cannot read. */
export const badData = () => new ClickHouseError('cannot parse', '27', 'bad_data')
