import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startWorkers } from '../../services/cli/workers.ts'
import { partitionOfKey } from '../../services/alert/delta-partition.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestStack, type TestStack, until } from '../support/stack.ts'
import { type Calls, runAlerts, sendCalls, type Told, toldBy } from './alert-calls.ts'
import { alertRows, deliveryRows } from './alert-rows.ts'
import { sharesOf } from './alert-runs.ts'

/**
 * Goal: alerts from spans as producers send them to the person who is told, with everything real in
 * between, and what people do about them: read them, change rules, silence, and try rules on the past.
 * Method: calls of models of the test's own fail now; rules look at windows of a second, and only
 * good calls end an alert, so that nothing hangs on how soon the test goes on.
 */

const DEADLINE_MS = 30_000
const GRAFANA = 'https://grafana.example'

const failing = `
allowed_lateness: 1s
rules:
  - name: failing
    summary: '{{value}} of the calls of {{model}} fail'
    metric: error_rate
    where: { kind: llm }
    by: [model]
    contributors: error_type
    window: 1s
    condition: { above: 20% }
    min_count: 4
    no_data: keep
    severity: critical
`
const slow = `
  - name: slow
    metric: p95(duration)
    by: [model]
    window: 1s
    condition: { above: SECONDSs }
    min_count: 4
    no_data: keep
`

let stack: TestStack
let receiver: Receiver
let folder: string
const startMs = Date.now()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-alerts-'))
  receiver = await startReceiver()
  await mkdir(join(folder, 'elsewhere'))
  await placeRules(failing)
  await writeFile(
    join(folder, 'channels.yaml'),
    `channels: [{ name: hook, type: webhook, url: '${receiver.url}', allow_private: true }]`,
  )
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    workers: ['ingest', 'enrich', 'sink', 'alert'],
    env: {
      SPANMETER_ALERT_RULES: join(folder, 'rules.yaml'),
      SPANMETER_ALERT_SHIPPED_RULES: 'false',
      SPANMETER_ALERT_CHANNELS: join(folder, 'channels.yaml'),
      SPANMETER_ALERT_IDLE_MS: '1000',
      SPANMETER_GRAFANA_URL: GRAFANA,
    },
  })
})

afterAll(async () => {
  await stack?.stop()
  await receiver?.stop()
  await rm(folder, { recursive: true, force: true })
})

let placed = 0

/** Puts a rule file in place as a whole. It is a link: what it leads to may change unseen. */
async function placeRules(text: string): Promise<string> {
  const target = join(folder, 'elsewhere', `rules-${++placed}.yaml`)
  await writeFile(target, text)
  await symlink(target, join(folder, 'next'))
  await rename(join(folder, 'next'), join(folder, 'rules.yaml'))
  return target
}

const send = (calls: Calls) => sendCalls(stack.httpPort, calls)
const toldOf = (model: string): readonly Told[] =>
  toldBy(receiver).filter(({ group }) => group['model'] === model)

/** Waits until the receiver was told of a model so often; gives what. */
function told(model: string, times: number): Promise<readonly Told[]> {
  return until(
    `${times} notifications of ${model}`,
    DEADLINE_MS,
    async () => toldOf(model),
    (all) => all.length >= times,
  )
}

const statesOf = (all: readonly Told[]) => all.map(({ rule, state }) => `${rule} ${state}`)

test('A breach is told with its evidence, and so is its end; both are kept', async () => {
  const sent = await send({ model: 'm1', good: 6, bad: 4 })
  const [first] = await told('m1', 1)
  expect(first).toMatchObject({
    state: 'firing',
    reason: 'condition',
    value: 0.4,
    summary: '40% of the calls of m1 fail',
  })
  await send({ model: 'm1', good: 10 })
  expect(statesOf(await told('m1', 2))).toEqual(['failing firing', 'failing resolved'])

  const rows = await until(
    'both land',
    DEADLINE_MS,
    () => alertRows(stack.clickhouse, 'm1'),
    (all) => all.length >= 2,
  )
  const [firing, resolved] = rows
  expect(rows).toHaveLength(2)
  expect(firing).toMatchObject({ state: 'firing', notify: true, value: 0.4, threshold: 0.2 })
  expect(firing?.contributors).toEqual([{ dimension: 'error_type', name: 'timeout', value: 4 }])
  expect(firing?.trace_ids.length).toBeGreaterThan(0)
  expect([...sent.bad]).toEqual(expect.arrayContaining([...(firing?.trace_ids ?? [])]))
  expect(firing?.link).toContain(GRAFANA)
  expect(resolved).toMatchObject({ state: 'resolved', value: 0, count: '10' })

  const deliveries = await until(
    'deliveries land',
    DEADLINE_MS,
    () => deliveryRows(stack.clickhouse, rows),
    (all) => all.length >= 2,
  )
  const delivered = { channel: 'hook', outcome: 'delivered', attempts: 1, status: 200 }
  expect(deliveries).toMatchObject([delivered, delivered])
})

test('spanmeter alerts checks rules, lists what fires, and silences', async () => {
  const { env } = stack
  await writeFile(join(folder, 'wrong.yaml'), 'rules:\n  - name: failing\n    metrik: count\n')
  const [right, wrong] = await Promise.all([
    runAlerts(env, 'check'),
    runAlerts(env, 'check', join(folder, 'wrong.yaml')),
  ])
  expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('1 rules are right') })
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('wrong.yaml') })
  expect(wrong.stderr).toContain('metrik')

  const silenced = await runAlerts(env, 'silence', '--rule', 'failing', '--match', 'model=m2')
  const [silence = ''] = silenced.stdout.split(' ')
  await send({ model: 'm2', bad: 5 })
  const [row] = await until(
    'it lands',
    DEADLINE_MS,
    () => alertRows(stack.clickhouse, 'm2'),
    (all) => all.length > 0,
  )
  expect(row).toMatchObject({ state: 'firing', notify: false, muted_by: `silence:${silence}` })
  const muted = await until(
    'it is noted',
    DEADLINE_MS,
    () => deliveryRows(stack.clickhouse, row === undefined ? [] : [row]),
    (all) => all.length > 0,
  )
  expect(muted).toMatchObject([{ outcome: 'muted', detail: `silence:${silence}` }])
  expect(toldOf('m2')).toEqual([])

  const list = await runAlerts(env, 'list', '--firing', '--json')
  const { firing }: { firing: readonly { group: object }[] } = JSON.parse(list.stdout)
  expect(firing.map(({ group }) => group)).toEqual([{ model: 'm2' }])

  await runAlerts(env, 'silence', '--end', silence)
  expect(await told('m2', 1)).toMatchObject([{ state: 'firing', reason: 'unmuted' }])
  await send({ model: 'm2', good: 10 })
  expect(statesOf(await told('m2', 2))).toEqual(['failing firing', 'failing resolved'])
})

const logOf = (line: string) => async () =>
  (await readFile(join(stack.logDir, 'alert.log'), 'utf8')).split(line).length - 1

test('Rules that change hold at once, wrong ones change nothing, and states are kept', async () => {
  await send({ model: 'm3', bad: 5 })
  await told('m3', 1)

  // A file that is replaced is seen.
  const target = await placeRules(failing + slow.replace('SECONDS', '3'))
  const readAgain = logOf('Rule files were read again.')
  await until('the rules are read', DEADLINE_MS, readAgain, (times) => times === 1)
  await send({ model: 'm4', good: 5, durationMs: 4_000 })
  expect(await told('m4', 1)).toMatchObject([{ rule: 'slow', state: 'firing' }])

  // Behind a link it is not: SIGHUP tells of it. What is wrong with it changes nothing.
  const pid = stack.workers.pid('alert') ?? 0
  await writeFile(target, `${failing}\n  - name: worse\n    metric: nonsense\n`)
  process.kill(pid, 'SIGHUP')
  const refused = logOf('Rule files are wrong; those read before still hold.')
  await until('the rules are refused', DEADLINE_MS, refused, (times) => times === 1)
  await send({ model: 'm5', good: 5, durationMs: 4_000 })
  expect(await told('m5', 1)).toMatchObject([{ rule: 'slow', state: 'firing' }])

  await writeFile(target, failing + slow.replace('SECONDS', '1'))
  process.kill(pid, 'SIGHUP')
  await until('the rules are read', DEADLINE_MS, readAgain, (times) => times === 2)
  await send({ model: 'm6', good: 5, durationMs: 2_000 })
  expect(await told('m6', 1)).toMatchObject([{ rule: 'slow', state: 'firing' }])

  // Through all of it the first one went on firing, and nobody was told again.
  expect(statesOf(toldOf('m3'))).toEqual(['failing firing'])
  await send({ model: 'm3', good: 10 })
  expect(statesOf(await told('m3', 2))).toEqual(['failing firing', 'failing resolved'])
})

/** A model whose group stands in each partition. */
const models = [0, 1, 2, 3].map((partition) => {
  const names = Array.from({ length: 100 }, (_, i) => `shared-${i}`)
  return names.find((name) => partitionOfKey(name, 4) === partition) ?? ''
})

test('Two workers share the groups; when one is killed, the other goes on where it was', async () => {
  const logDir = join(folder, 'second')
  const second = await startWorkers({
    env: stack.env,
    names: ['alert'],
    logDir,
    readyDeadlineMs: 60_000,
    // It stays away once it is killed.
    restart: { firstMs: 3_600_000, maxMs: 3_600_000 },
    onProgress: () => undefined,
  })
  try {
    const shares = async () => [await sharesOf(stack.logDir), await sharesOf(logDir)]
    await until('both have groups', DEADLINE_MS, shares, (all) =>
      all.every(({ length }) => length === 2),
    )
    for (const model of models) await send({ model, bad: 5 })
    for (const model of models) await told(model, 1)
    process.kill(second.pid('alert') ?? 0, 'SIGKILL')
    for (const model of models) await send({ model, bad: 5 })
    await until('one has all groups', DEADLINE_MS, shares, ([first]) => first?.length === 4)
    for (const model of models) await send({ model, good: 20 })
    for (const model of models) {
      expect(statesOf(await told(model, 2))).toEqual(['failing firing', 'failing resolved'])
    }
  } finally {
    await second.stop()
  }
})

test('A back-test of the same time says what was said then', async () => {
  const toMs = Date.now()
  const live = await until(
    'all changes land',
    DEADLINE_MS,
    () => alertRows(stack.clickhouse, ''),
    (all) => all.filter(({ model }) => models.includes(model)).length >= 8,
  )
  const changes = live
    .filter(({ rule, reason }) => rule === 'failing' && reason !== 'unmuted')
    .map(({ rule, level, model, state, value, window_end: end }) =>
      [rule, level, model, state, value, end].join(' '),
    )
  expect(changes.length).toBeGreaterThanOrEqual(14)
  const range = ['--from', iso(startMs), '--to', iso(toMs)]
  const { code, stdout } = await runAlerts(
    stack.env,
    'backtest',
    ...range,
    '--rule',
    'failing',
    '--pending',
    '--json',
  )
  expect(code).toBe(0)
  const { alerts }: { alerts: readonly (Told & { windowEnd: string })[] } = JSON.parse(
    stdout.trimEnd().split('\n').at(-1) ?? '',
  )
  const past = alerts.map(({ rule, level, group, state, value, windowEnd }) =>
    [rule, level, group['model'], state, value, windowEnd].join(' '),
  )
  expect(past.toSorted()).toEqual(changes.toSorted())
})

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
