import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { between, createRandom, pick } from '../../services/cli/replay/random.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { WORKERS } from '../../services/cli/workers.ts'
import type { Engines } from '../../services/embedded/engines.ts'
import { parseCommonConfig } from '../../services/runtime/config.ts'
import { expectedSpans } from '../support/expected.ts'
import { sampleRequests } from '../support/sample.ts'
import { countSpans, silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { actualRollup, expectedRollup, rollups } from './rollups.ts'
import { startEmbeddedEngines } from './start-engines.ts'

/**
 * Goal: what producers were told is accepted lands exactly once, in rows and in every rollup, although
 * workers, broker and database are killed with -9 again and again. Method: half of the sample lies
 * in otlp_spans, half is sent over HTTP by a client that sends again until it is told 200, while a
 * seeded plan kills; then every table is compared with what the pure stages make of what was sent.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const KILLS = 30
const ROWS = 4_000
const PAUSE_MS = { min: 800, max: 2_600 }

let dataDir: string
let engines: Engines
let stack: TestStack

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-kills-'))
  engines = await startEmbeddedEngines({ dataDir, onProgress: () => undefined })
  const { brokers, clickhouseUrl } = engines
  // Small fetches make many chunks, so that kills fall between as many steps as can be.
  const env = { SPANMETER_SINK_MAX_BATCH_BYTES: '262144', SPANMETER_SINK_MIN_BATCH_BYTES: '65536' }
  stack = await startTestStack({ brokers, clickhouseUrl, env })
})

afterAll(async () => {
  await stack?.stop()
  await engines?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

type Target = (typeof WORKERS)[number] | 'kafka' | 'clickhouse'

/** Which process is killed when: every worker about eight times, broker and database three times each. */
function planKills(seed: number): readonly { target: Target; pauseMs: number }[] {
  const random = createRandom([seed, 0, 0])
  return Array.from({ length: KILLS }, (_, i) => {
    const worker = pick(random, WORKERS)
    const target: Target = i % 10 === 4 ? 'kafka' : i % 10 === 8 ? 'clickhouse' : worker
    return { target, pauseMs: between(random, PAUSE_MS.min, PAUSE_MS.max) }
  })
}

async function kill(target: Target): Promise<void> {
  if (target === 'kafka' || target === 'clickhouse') {
    const pid = engines.current(target)?.pid
    if (pid === undefined) throw new Error(`${target} is not embedded`)
    process.kill(pid, 'SIGKILL')
    await engines.restart(target)
    return
  }
  const pid = stack.workers.pid(target)
  if (pid !== undefined) killIfThere(pid)
}

/** A worker that was killed a moment ago may not be back yet. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Sends a request until it is accepted, as an OpenTelemetry exporter does. */
async function post(body: Buffer, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    try {
      const response = await fetch(`http://127.0.0.1:${stack.httpPort}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(20_000),
      })
      await response.arrayBuffer()
      if (response.status === 200) return
      if (![429, 502, 503, 504].includes(response.status))
        throw new Error(`HTTP ${response.status}`)
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('HTTP ')) throw error
    }
    await delay(100)
  }
}

test(
  `${KILLS} kills lose nothing and double nothing (seed ${SEED})`,
  { timeout: 420_000 },
  async () => {
    const bodies = sampleRequests({ rows: ROWS, seed: SEED })
    const expected = expectedSpans(bodies)
    const topicHalf = bodies.filter((_, i) => i % 2 === 0)
    const httpHalf = bodies.filter((_, i) => i % 2 === 1)
    const sender = await openTopicSender(parseCommonConfig(stack.env), silent)
    for (const body of topicHalf.slice(0, topicHalf.length / 2)) await sender.send([body])

    const plan = planKills(SEED)
    const planMs = plan.reduce((sum, { pauseMs }) => sum + pauseMs, 0)
    const giveUp = new AbortController()
    const sending = (async () => {
      for (const body of httpHalf) {
        await post(body, giveUp.signal)
        await delay(planMs / httpHalf.length)
      }
    })()
    try {
      for (const [i, { target, pauseMs }] of plan.entries()) {
        await delay(pauseMs)
        await kill(target)
        // The producer of the topic has no part in this: it writes while the broker is up.
        if (i === plan.length / 2)
          for (const body of topicHalf.slice(topicHalf.length / 2)) await sender.send([body])
      }
      await sending
      const landed = await until(
        'all spans land',
        120_000,
        () => countSpans(stack),
        (n) => n >= expected.length,
      )
      expect(landed).toBe(expected.length)
    } finally {
      giveUp.abort()
      await sender.close()
    }
    for (const rollup of rollups) {
      const actual = await actualRollup(stack.clickhouse, rollup)
      expect.soft(actual, rollup.table).toEqual(expectedRollup(rollup, expected))
    }
  },
)
