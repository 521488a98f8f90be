import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../services/cli/replay/random.ts'
import { type Answer, type Client, isAccepted } from './load-client.ts'
import type { Ledger } from './load-ledger.ts'
import type { RequestMaker } from './load-requests.ts'

/** Who sends, what, and where it is noted. */
export interface Load {
  readonly client: Client
  readonly maker: RequestMaker
  readonly ledger: Ledger
  readonly random: Random
  readonly signal: AbortSignal
}

export interface OpenLoopOptions {
  readonly requestsPerSecond: number
  readonly forMs: number
  /** Each keeps a connection, and has one request under way. */
  readonly senders: number
  /** Share of senders that send again what was not accepted. */
  readonly retryShare: number
}

/** How well the schedule was kept. */
export interface OpenLoopResult {
  readonly wallMs: number
  /** Resolves when the last request that was sent is answered, or given up. */
  readonly settled: Promise<unknown>
  /** How much later than due the latest request was sent: where it is much, the machine has no room for its senders. */
  readonly latestMs: number
}

const TICK_MS = 5
const MAX_ATTEMPTS = 5
/** A wait after no answer, which says nothing about when to come again. */
const DEFAULT_RETRY_MS = 1_000

/** Requests one after the other over each of some connections, for a while. Gives the requests that were accepted. */
export async function closedLoop(load: Load, connections: number, forMs: number): Promise<number> {
  const endMs = performance.now() + forMs
  let accepted = 0
  const run = async (): Promise<void> => {
    while (performance.now() < endMs && !load.signal.aborted) {
      const answer = await sendOne(load)
      if (isAccepted(answer)) accepted++
      else await delay(retryDelayMs(answer, load.random), undefined, { signal: load.signal })
    }
  }
  await Promise.all(Array.from({ length: connections }, run))
  load.signal.throwIfAborted()
  return accepted
}

/** One request, once. */
export async function sendOne({ client, maker, ledger }: Load): Promise<Answer> {
  const number = ledger.next()
  const answer = await client.send(maker.make(number, Date.now()))
  ledger.note(number, answer)
  return answer
}

/** Requests on schedule, whatever becomes of them. In the end it drops what would be sent again later. */
export async function openLoop(load: Load, options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { requestsPerSecond, forMs, senders, retryShare } = options
  const ending = new AbortController()
  const signal = AbortSignal.any([load.signal, ending.signal])
  const outstanding = new Set<Promise<void>>()
  await load.client.open(senders)
  const startedMs = performance.now()
  let due = 0
  let latestMs = 0
  for (
    let nowMs = 0;
    nowMs < forMs && !load.signal.aborted;
    nowMs = performance.now() - startedMs
  ) {
    for (const end = requestsDue(nowMs, requestsPerSecond); due < end; due++) {
      latestMs = Math.max(latestMs, performance.now() - startedMs - dueAtMs(due, requestsPerSecond))
      if (outstanding.size >= senders) {
        load.ledger.noteUnsent()
        continue
      }
      const attempts = load.random.next() < retryShare ? MAX_ATTEMPTS : 1
      const sending = sendUpTo(attempts, load, signal).finally(() => outstanding.delete(sending))
      outstanding.add(sending)
    }
    await delay(TICK_MS)
  }
  const wallMs = performance.now() - startedMs
  ending.abort()
  load.signal.throwIfAborted()
  return { wallMs, latestMs, settled: Promise.all(outstanding) }
}

/** Sends the same bytes again until they are accepted, so many times at most. */
async function sendUpTo(attempts: number, load: Load, signal: AbortSignal): Promise<void> {
  const { client, maker, ledger, random } = load
  const number = ledger.next()
  const atMs = Date.now()
  for (let attempt = 1; ; attempt++) {
    const answer = await client.send(maker.make(number, atMs))
    ledger.note(number, answer)
    if (isAccepted(answer) || attempt >= attempts) return
    try {
      await delay(retryDelayMs(answer, random), undefined, { signal })
    } catch {
      return
    }
  }
}

/** Requests that should have been sent after so long. The first is due at once. */
export function requestsDue(elapsedMs: number, requestsPerSecond: number): number {
  return Math.floor((elapsedMs * requestsPerSecond) / 1_000) + 1
}

/** When the request of this index is due. */
export function dueAtMs(index: number, requestsPerSecond: number): number {
  return (index * 1_000) / requestsPerSecond
}

/** Never sooner than asked for, and up to half as long again, so that not all come at once. */
export function retryDelayMs(answer: Answer, random: Random): number {
  const asked = answer.type === 'answered' ? answer.retryAfterS : undefined
  const leastMs = asked === undefined ? DEFAULT_RETRY_MS : asked * 1_000
  return leastMs * (1 + random.next() / 2)
}
