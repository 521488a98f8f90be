import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Env } from '#runtime/config.ts'
import { type Attributes, otlpRequest } from '../support/otlp-proto.ts'
import type { Receiver } from '../support/receiver.ts'

/** Calls of a model that end now, to be sent over OTLP/HTTP as one request. */
export interface Calls {
  readonly model: string
  readonly good?: number
  /** Calls that fail with a timeout. */
  readonly bad?: number
  readonly durationMs?: number
  readonly service?: string
  /** How far the caller's clock is ahead. */
  readonly aheadMs?: number
}

/** The trace ids of what was sent. */
export interface SentCalls {
  readonly good: readonly string[]
  readonly bad: readonly string[]
}

/** Sends calls. Throws where they are not accepted. */
export async function sendCalls(httpPort: number, calls: Calls): Promise<SentCalls> {
  const { good = 0, bad = 0, service = 'shop' } = calls
  // All at once, so that no window has only some of them.
  const endMs = Date.now() + (calls.aheadMs ?? 0)
  const all = Array.from({ length: good + bad }, (_, i) => makeCall(calls, endMs, i < bad))
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(otlpRequest({ resource: [['service.name', service]], spans: all })),
  })
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
  const ids = all.map(({ traceId }) => traceId.toString('hex'))
  return { bad: ids.slice(0, bad), good: ids.slice(bad) }
}

function makeCall({ model, durationMs = 100 }: Calls, endMs: number, isBad: boolean) {
  const end = BigInt(endMs) * 1_000_000n
  const attributes: Attributes = [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.provider.name', 'openai'],
    ['gen_ai.request.model', model],
    ['gen_ai.usage.input_tokens', 100],
    ['gen_ai.usage.output_tokens', 10],
    ...(isBad ? ([['error.type', 'timeout']] as const) : []),
  ]
  return {
    name: `chat ${model}`,
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    start: end - BigInt(durationMs) * 1_000_000n,
    end,
    attributes,
    ...(isBad ? { status: { code: 2 } } : {}),
  }
}

/** What a webhook was told, as far as tests look at it. */
export interface Told {
  readonly id: string
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly state: string
  readonly reason: string
  readonly value: number | null
  readonly summary: string
}

/** All that a receiver was told so far, in order. */
export function toldBy({ requests }: Receiver): readonly Told[] {
  return requests.map(({ body }) => {
    const told: Told = JSON.parse(body)
    return told
  })
}

/** What a command printed, and how it ended. */
export interface CommandRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))

/** Runs `spanmeter alerts …` as a process of its own. */
export function runAlerts(env: Env, ...args: readonly string[]): Promise<CommandRun> {
  return new Promise((resolve) => {
    const options = { env: { ...env }, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(
      process.execPath,
      [MAIN, 'alerts', ...args],
      options,
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
