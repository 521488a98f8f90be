import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createRandom } from '../services/cli/replay/random.ts'
import { decidingRequest } from './alerts-decider.ts'
import type { ToEnriched } from './alerts-enriched.ts'
import { startLoad } from './alerts-load.ts'
import type { Receiver } from './alerts-receiver.ts'
import { type LatencySummary, summariseLatencies } from './alerts-report.ts'
import type { AlertRound } from './alerts-round.ts'
import { BenchError } from './bench-error.ts'

/** Takes an OTLP request in: protobuf, or JSON. */
export interface Entrance {
  /** What the report calls it. */
  readonly via: string
  send(body: Uint8Array, encoding: 'proto' | 'json', signal: AbortSignal): Promise<void>
}

export interface LatencyOptions {
  readonly entrance: Entrance
  readonly receiver: Receiver
  readonly samples: number
  readonly spansPerSecond: number
  readonly spansPerRecord: number
  readonly seed: number
  readonly signal: AbortSignal
}

/** Samples before the first that counts: workers have then seen load, and code is compiled. */
const WARM_UP_SAMPLES = 20
const WARM_UP_MS = 5_000
const DEADLINE_MS = 60_000
/** Pauses between samples, so that they meet the pipeline's own rhythm at all of its points. */
const LEAST_PAUSE_MS = 20
const MOST_PAUSE_MS = 320
const CONTENT_TYPES = { proto: 'application/x-protobuf', json: 'application/json' } as const

/** Straight into spans.enriched: what the alert worker and its notification take. */
export function enrichedEntrance(round: AlertRound, toEnriched: ToEnriched): Entrance {
  return {
    via: 'from spans.enriched',
    send: (body, _encoding, signal) => round.write(toEnriched(body, Date.now()), signal),
  }
}

/** Over OTLP/HTTP, through ingest and enrich. */
export function otlpEntrance({ otlpPort }: AlertRound): Entrance {
  return {
    via: 'from OTLP/HTTP',
    async send(body, encoding, signal) {
      const call = request({
        port: otlpPort,
        path: '/v1/traces',
        method: 'POST',
        headers: { 'content-type': CONTENT_TYPES[encoding], 'content-length': body.length },
        signal,
      })
      call.end(body)
      const [response] = await once(call, 'response')
      response.resume()
      if (response.statusCode !== 200) {
        throw new BenchError(`OTLP/HTTP answered with ${response.statusCode}.`)
      }
    },
  }
}

/**
 * Sends spans at a steady rate, and among them now and then one that is more than its user may spend
 * in an hour: measures from before it is sent until its notification is received. One after the other.
 */
export async function measureLatency(options: LatencyOptions): Promise<LatencySummary> {
  const { entrance, samples, spansPerSecond, spansPerRecord, seed, signal } = options
  const load = startLoad({
    spansPerSecond,
    spansPerRecord,
    seed,
    signal,
    send: async (bodies) => {
      for (const body of bodies) await entrance.send(body, 'proto', signal)
    },
  })
  const random = createRandom([seed, samples, spansPerSecond])
  const measured: number[] = []
  let reached = 0
  try {
    await delay(WARM_UP_MS, undefined, { signal })
    for (let i = 0; i < WARM_UP_SAMPLES + samples; i++) {
      const latencyMs = await Promise.race([measureOne(options, i), load.failed])
      if (i >= WARM_UP_SAMPLES) measured.push(latencyMs)
      const pauseMs = LEAST_PAUSE_MS + random.next() * (MOST_PAUSE_MS - LEAST_PAUSE_MS)
      await delay(pauseMs, undefined, { signal })
    }
  } finally {
    reached = await load.stop()
  }
  return summariseLatencies(entrance.via, reached, measured)
}

async function measureOne(
  { entrance, receiver, signal }: LatencyOptions,
  sample: number,
): Promise<number> {
  // No name of a user is the start of another.
  const user = `decider-${String(sample).padStart(6, '0')}-of-${entrance.via.replaceAll(/\W/g, '-')}`
  const body = decidingRequest(user, Date.now())
  const arrival = receiver.arrival(user)
  const sentMs = performance.now()
  await entrance.send(body, 'json', signal)
  const deadline = new AbortController()
  const late = delay(DEADLINE_MS, undefined, { signal: AbortSignal.any([signal, deadline.signal]) })
  const receivedMs = await Promise.race([arrival, late])
  deadline.abort()
  late.catch(() => undefined)
  if (receivedMs === undefined) {
    throw new BenchError(
      `No notification came for a span that is above its limit, ${DEADLINE_MS / 1_000} s after it was sent ${entrance.via}.`,
    )
  }
  return receivedMs - sentMs
}
