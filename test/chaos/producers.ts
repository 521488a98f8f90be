import { setTimeout as delay } from 'node:timers/promises'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { parseCommonConfig } from '#runtime/config.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { silent } from '../support/stack.ts'
import type { ChaosStack } from './chaos-stack.ts'
import type { Sending, Via } from './load.ts'

/** A request that was taken, and when. */
export interface Accepted extends Sending {
  readonly takenMs: number
}

/** What became of the requests. */
export interface Sent {
  /** Requests that were answered: taken. Each must land. */
  readonly accepted: readonly Accepted[]
  readonly tries: number
  /** Answers by kind: a status, or that there was none. */
  readonly answers: ReadonlyMap<string, number>
}

/** Gives what the server said: undefined where the request was taken, else why it was not. */
type Send = (body: Buffer, of: Sending['of'], signal: AbortSignal) => Promise<string | undefined>

const LANES: Readonly<Record<Via, number>> = { http: 3, grpc: 2, topic: 1 }
const TRY_MS = 10_000
const AGAIN_MS = { first: 50, more: 400 }
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const AGAIN_STATUS = new Set([429, 502, 503, 504])

/** Sends everything at its time, each until it is taken, as exporters do. */
export async function produce(
  stack: ChaosStack,
  sendings: readonly Sending[],
  signal: AbortSignal,
): Promise<Sent> {
  const accepted: Accepted[] = []
  const answers = new Map<string, number>()
  let tries = 0
  const startMs = performance.now()
  const runLane = async (send: Send, queue: Sending[]): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const early = one.atMs - (performance.now() - startMs)
      if (early > 0) await delay(early, undefined, { signal })
      for (let waitMs = AGAIN_MS.first; ; waitMs = AGAIN_MS.more) {
        signal.throwIfAborted()
        tries++
        const refusal = await send(one.body, one.of, AbortSignal.timeout(TRY_MS))
        const answer = `${one.via} ${refusal ?? 'taken'}`
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
        if (refusal === undefined) break
        await delay(waitMs, undefined, { signal })
      }
      accepted.push({ ...one, takenMs: performance.now() })
    }
  }
  const senders = { http: sendHttp(stack), grpc: sendGrpc(stack), topic: sendTopic(stack) }
  const vias = ['http', 'grpc', 'topic'] as const
  await Promise.all(
    vias.flatMap((via) => {
      const queue = sendings.filter((one) => one.via === via)
      return Array.from({ length: LANES[via] }, () => runLane(senders[via], queue))
    }),
  )
  return { accepted, tries, answers }
}

function sendHttp({ httpPort }: ChaosStack): Send {
  const types = { spans: 'application/x-protobuf', scores: 'application/json' }
  const paths = { spans: '/v1/traces', scores: '/v1/evaluations' }
  return async (body, of, signal) => {
    try {
      const response = await fetch(`http://127.0.0.1:${httpPort}${paths[of]}`, {
        method: 'POST',
        headers: { 'content-type': types[of] },
        body: new Uint8Array(body),
        signal,
      })
      await response.arrayBuffer()
      if (response.status === 200) return undefined
      return AGAIN_STATUS.has(response.status)
        ? String(response.status)
        : `unexpected ${response.status}`
    } catch {
      return 'no answer'
    }
  }
}

const same = (bytes: Buffer) => bytes

function sendGrpc({ grpcPort }: ChaosStack): Send {
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.max_reconnect_backoff_ms': 1_000,
  })
  return (body) =>
    new Promise((resolve) => {
      const deadline = Date.now() + TRY_MS
      client.makeUnaryRequest(EXPORT, same, same, body, new Metadata(), { deadline }, (error) =>
        resolve(error === null ? undefined : `code ${error.code}`),
      )
    })
}

/** Each try is a producer's own: one that hangs is left behind. */
function sendTopic({ producerEnv }: ChaosStack): Send {
  const config = parseCommonConfig(producerEnv)
  let opened: ReturnType<typeof openTopicSender> | undefined
  return async (body) => {
    try {
      opened ??= openTopicSender(config, silent)
      await (await opened).send([body])
      return undefined
    } catch {
      opened = undefined
      return 'no answer'
    }
  }
}
