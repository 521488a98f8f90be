import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Attributes, otlpRequest } from '../support/otlp-proto.ts'
import { startTestStack, type TestStack, until } from '../support/stack.ts'

/**
 * Goal: dialect files and prices of the user's own hold from the next span on once the workers are
 * told (SIGHUP), and a file that is wrong leaves the rules as they were.
 * Method: send spans under numbered names until one shows the new rule.
 */

const DEADLINE_MS = 30_000
let stack: TestStack
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-rules-'))
  await mkdir(join(folder, 'dialects'))
  await writeFile(join(folder, 'prices.yaml'), '{}')
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: {
      SPANMETER_DIALECTS: join(folder, 'dialects'),
      SPANMETER_PRICES: join(folder, 'prices.yaml'),
    },
  })
})
afterAll(async () => {
  await stack?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Row {
  readonly request_id: string
  readonly cost_usd: string | null
}

let sent = 0

/** Sends a span, and gives its row once it has landed. */
async function sendOne(): Promise<Row> {
  const name = `span ${sent++}`
  const attributes: Attributes = [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.request.model', 'house-model'],
    ['gen_ai.usage.input_tokens', 1_000],
    ['gen_ai.usage.output_tokens', 0],
    ['shop.order', 'o-1'],
  ]
  const spanId = Buffer.from(String(sent).padStart(16, '0'), 'hex')
  const start = BigInt(Date.now()) * 1_000_000n
  const body = otlpRequest({ spans: [{ name, spanId, attributes, start, end: start + 5n }] })
  const response = await fetch(`http://127.0.0.1:${stack.httpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(body),
  })
  expect(response.status).toBe(200)
  const [row] = await until(
    name,
    DEADLINE_MS,
    () =>
      stack.clickhouse.query<Row>(
        'SELECT request_id, cost_usd FROM spans WHERE name = {name:String}',
        { name },
      ),
    (rows) => rows.length > 0,
  )
  if (row === undefined) throw new Error('until gave no row')
  return row
}

function tell(worker: 'ingest' | 'enrich'): void {
  const pid = stack.workers.pid(worker)
  if (pid === undefined) throw new Error(`${worker} does not run`)
  process.kill(pid, 'SIGHUP')
}

test('Rule files hold from the next span on, and wrong ones change nothing', async () => {
  expect(await sendOne()).toEqual({ request_id: '', cost_usd: null })

  await writeFile(
    join(folder, 'dialects', 'shop.yaml'),
    '{name: shop, fields: {request_id: [shop.order]}}',
  )
  const price = '{model: house-model, prices: {input: "2", output: "4"}}'
  await writeFile(join(folder, 'prices.yaml'), `models: [${price}]`)
  tell('ingest')
  tell('enrich')
  // 1,000 tokens at 2 USD a million.
  const known = { request_id: 'o-1', cost_usd: '0.002' }
  await until('the new rules', DEADLINE_MS, sendOne, (row) => {
    return row.request_id === known.request_id && row.cost_usd === known.cost_usd
  })

  await writeFile(join(folder, 'dialects', 'shop.yaml'), 'no dialect')
  await writeFile(join(folder, 'prices.yaml'), 'models: 7')
  tell('ingest')
  tell('enrich')
  expect(await sendOne()).toEqual(known)
  expect(await sendOne()).toEqual(known)
})
