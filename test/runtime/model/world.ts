import { createRandom, type Random } from '../../alert/random.ts'

/** A process of the simulated cluster: once it is dead, nothing that it waits for ever comes. */
export interface Actor {
  readonly name: string
  alive: boolean
  /** It stands still, as after SIGSTOP, and knows nothing of it when it goes on. */
  frozen?: boolean
}

/** What the scheduler may do beside letting an actor go on: a fault, or something from outside. */
export interface Action {
  readonly name: string
  /** How likely it is when something may happen, where that nothing does has 1. */
  readonly weight: number
  /** Whether it still happens once the faults are over. */
  readonly heals: boolean
  run(): void
}

interface Parked {
  readonly actor: Actor
  readonly isReady: () => boolean
  readonly resume: () => void
}

const ready = () => true

/** What becomes of a request that is sent over the network. */
type Fate = 'answered' | 'request lost' | 'answer lost' | 'late'

/** A request that was given up by who sent it, and reaches the server at some later time. */
export interface Late {
  readonly what: string
  readonly deliver: () => void
}

/** How often nothing happens but that somebody goes on. */
const GOES_ON = 0.75
/** How often an actor that has gone on goes on again at once, so that others fall far behind. */
const STAYS = 0.6

/** Something did not come to an end, though nothing was broken any more. */
export class StuckError extends Error {
  override readonly name = 'StuckError'
}

/**
 * Decides who goes on: every await of every process on the outside is a step that waits for its turn
 * here, so that one seed is one interleaving. There is no clock.
 */
export class World {
  readonly random: Random
  readonly late: Late[] = []
  /** What was chosen, for whoever has to understand a failure. */
  readonly trace: string[] = []
  steps = 0
  isHealing = false
  readonly #faults: number
  #parked: Parked[] = []
  #last: Actor | undefined

  /** Of a hundred requests, `faults` come to grief. */
  constructor(seed: number, faults: number) {
    this.random = createRandom(seed)
    this.#faults = faults
  }

  /** Waits for the actor's turn, which does not come before `isReady`. */
  step(actor: Actor, isReady = ready): Promise<void> {
    return new Promise((resolve) => {
      if (actor.alive) this.#parked.push({ actor, isReady, resume: resolve })
    })
  }

  /** The actor is gone: nothing of it goes on. */
  kill(actor: Actor): void {
    actor.alive = false
    this.#parked = this.#parked.filter((parked) => parked.actor !== actor)
  }

  /**
   * A request to a server, whose effect is `apply`: it may get lost, or its answer may; `failure` is
   * what the sender sees then. A request that may be late has its effect at any time afterwards.
   */
  async request<T>(
    actor: Actor,
    what: string,
    { apply, failure, mayBeLate }: Request<T>,
  ): Promise<T> {
    await this.step(actor)
    const fate = this.#fate(mayBeLate)
    this.trace.push(`${actor.name}: ${what}${fate === 'answered' ? '' : ` (${fate})`}`)
    if (fate === 'late') this.late.push({ what, deliver: () => void attempt(apply) })
    const done = fate === 'answered' || fate === 'answer lost' ? attempt(apply) : undefined
    await this.step(actor)
    if (fate !== 'answered' || done === undefined) throw failure()
    if (done.failed) throw done.error
    return done.value
  }

  /** Lets actors go on and actions happen, until `isDone`. */
  async run(actions: () => readonly Action[], isDone: () => boolean, maxSteps: number) {
    const end = this.steps + maxSteps
    for (;;) {
      await settled()
      if (isDone()) return
      if (this.steps++ >= end) throw new StuckError(`nothing came to an end in ${maxSteps} steps`)
      this.#choose(actions)
    }
  }

  #choose(actions: () => readonly Action[]): void {
    const able = this.#parked.filter(({ actor, isReady }) => actor.frozen !== true && isReady())
    if (able.length > 0 && this.random.next() < GOES_ON) return this.#goOn(able)
    const possible = actions().filter(({ heals }) => heals || !this.isHealing)
    const own = able.length > 0 ? 1 : 0
    const total = possible.reduce((sum, { weight }) => sum + weight, own)
    if (total === 0) throw new StuckError('everybody waits for somebody else')
    let left = this.random.next() * total - own
    if (left < 0) return this.#goOn(able)
    for (const action of possible) {
      left -= action.weight
      if (left >= 0) continue
      this.trace.push(`! ${action.name}`)
      return action.run()
    }
  }

  #goOn(able: readonly Parked[]): void {
    const stays = this.random.next() < STAYS
    const same = stays ? able.find(({ actor }) => actor === this.#last) : undefined
    const next = same ?? able[this.random.whole(0, able.length - 1)]
    if (next === undefined) return
    this.#parked.splice(this.#parked.indexOf(next), 1)
    this.#last = next.actor
    next.resume()
  }

  #fate(mayBeLate: boolean): Fate {
    if (this.isHealing || this.random.whole(1, 100) > this.#faults) return 'answered'
    return this.random.pick(
      mayBeLate ? ['request lost', 'answer lost', 'late'] : ['request lost', 'answer lost'],
    )
  }
}

export interface Request<T> {
  readonly apply: () => T
  readonly failure: () => Error
  readonly mayBeLate: boolean
}

type Attempt<T> =
  | { readonly failed: false; readonly value: T }
  | { readonly failed: true; readonly error: unknown }

function attempt<T>(apply: () => T): Attempt<T> {
  try {
    return { failed: false, value: apply() }
  } catch (error) {
    return { failed: true, error }
  }
}

/** Resolves once every promise that could go on has done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
