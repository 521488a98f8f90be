import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Alert } from '../../schemas/items.ts'
import { alerts } from '../../schemas/topics.ts'
import { createEvaluateStage } from '../../services/alert/evaluate-stage.ts'
import { formatProgress, PROGRESS_HEADER } from '../../services/alert/progress.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import { formatSilence, SILENCE_HEADER } from '../../services/alert/silence.ts'
import type { StateLog } from '../../services/alert/state-log.ts'
import { fromPieces, toPieces } from '../../services/alert/state-pieces.ts'
import { parseSource } from '../../services/runtime/checkpoint.ts'
import {
  type Committed,
  type KafkaRecord,
  LostPartitionError,
  type NewRecord,
} from '../../services/runtime/records.ts'
import { inputsOf, reachInputs, spanRow } from '../support/alert-lab.ts'
import { memoryControl, memoryWriter, record } from '../support/memory.ts'
import { MINUTE, readRules } from './rule-texts.ts'

const NOON = Date.parse('2026-06-17T12:00:00Z')
const RULES = readRules(`
rules:
  - name: slow
    metric: mean(duration)
    by: [model]
    window: 1m
    condition: { above: 5s }`)
const NO_RULES = readRules('rules: []')
const STATE_TOPIC = 'state'

/** A record of span.aggregates: slow calls of a model, or nothing but time. */
function aggregates(offset: number, minute: number, ...models: readonly string[]): KafkaRecord {
  const atMs = NOON + minute * MINUTE
  const [input] =
    models.length === 0
      ? reachInputs(RULES, atMs)
      : inputsOf(
          RULES,
          models.map((model) => spanRow(atMs, { texts: { model }, values: { duration: 9e9 } })),
        )
  if (input === undefined) throw new Error('there is nothing in it')
  return record(offset, input.value, {
    headers: { [PROGRESS_HEADER]: formatProgress(input.progress) },
  })
}

/** State that outlives stages. */
function memoryState(log: string[]): StateLog & { readonly at: Map<number, Committed> } {
  const pieces = new Map<string, string>()
  const at = new Map<number, Committed>()
  return {
    at,
    async read(partition) {
      const own = at.get(partition)
      if (own === undefined) return undefined
      const mine = new Map(
        [...pieces]
          .filter(([key]) => key.startsWith(`${partition} `))
          .map(([key, payload]) => [key.slice(String(partition).length + 1), payload]),
      )
      const { checkpoint: _checkpoint, ...stored } = fromPieces(mine)
      return { at: own, stored, pieces: mine.size }
    },
    async write(partition, changes, committed) {
      log.push(`write ${STATE_TOPIC}`)
      at.set(partition, committed)
      for (const { key, payload } of toPieces(changes, committed)) {
        if (payload === '') pieces.delete(`${partition} ${key}`)
        else pieces.set(`${partition} ${key}`, payload)
      }
    },
  }
}

/** A worker with its stage; `state` may be that of one before. */
class Worker {
  readonly log: string[]
  readonly state: ReturnType<typeof memoryState>
  readonly writer
  readonly told: Alert[] = []
  rejected = 0
  readonly stage

  constructor(rules: RuleSet = RULES, log: string[] = [], state = memoryState(log)) {
    this.log = log
    this.state = state
    this.writer = memoryWriter((topic) => void log.push(`write ${topic}`))
    this.stage = createEvaluateStage(
      {
        evaluator: { idleMs: 0, grafanaUrl: '' },
        stateLog: state,
        writer: this.writer,
        alertPartitions: 2,
        maxChunkBytes: 1_000,
        logger: pino({ level: 'silent' }),
        onRejected: () => this.rejected++,
        onAlerts: (made) => this.told.push(...made),
      },
      rules,
    )
  }

  /** Takes a partition up, if it is not yet; gives the offset to read from. */
  async takeUp(partition: number): Promise<bigint | undefined> {
    this.stage.onAssigned?.([partition])
    return (await this.stage.takeUp?.(partition))?.offset
  }

  async handle(partition: number, ...records: readonly KafkaRecord[]): Promise<void> {
    const first = records[0]?.offset ?? 0n
    const last = records.at(-1)?.offset ?? 0n
    const chunk = { topic: 'aggregates', partition, first, last, wasPending: false, records }
    const control = { ...memoryControl(this.log), checkpoint: () => `up to ${last}` }
    await this.stage.handle(chunk, control)
  }

  get written(): readonly NewRecord[] {
    return this.writer.writes.flatMap(({ records }) => records)
  }

  get changes(): readonly string[] {
    return this.written
      .flatMap(({ value }) => alerts.codec.decode(value))
      .map(({ group, state }) => `${group['model']} ${state}`)
  }
}

afterEach(() => void vi.restoreAllMocks())

/** The clock that says when the state is due stands at so many milliseconds. */
const clockAt = (ms: number) => vi.spyOn(performance, 'now').mockReturnValue(ms)

describe('Records of aggregates', () => {
  test('become alerts, each with the place of the record that made it', async () => {
    const worker = new Worker()
    await worker.takeUp(3)
    await worker.handle(3, aggregates(7, 0, 'b', 'a'), aggregates(9, 1))
    expect(worker.changes).toEqual(['a firing', 'b firing'])
    expect(worker.writer.writes.map(({ topic }) => topic)).toEqual([alerts.name])
    expect(worker.written.map(({ partition, key }) => [partition, key])).toEqual([
      [1, null],
      [1, null],
    ])
    expect(worker.written.map(({ headers }) => parseSource(headers['source'] ?? ''))).toEqual([
      { source: 'aggregates/3', offset: 9n, part: 0 },
      { source: 'aggregates/3', offset: 9n, part: 1 },
    ])
    expect(worker.told.map(({ state }) => state)).toEqual(['firing', 'firing'])
  })

  test('that make none write none', async () => {
    const worker = new Worker()
    await worker.takeUp(0)
    await worker.handle(0, aggregates(1, 0, 'a'))
    expect(worker.writer.writes).toEqual([])
  })

  test('that hold no batch, or no silence, are counted, and others go on', async () => {
    const worker = new Worker()
    await worker.takeUp(0)
    const bad = record(2, aggregates(2, 0).value, { headers: { [SILENCE_HEADER]: '{"id":1}' } })
    await worker.handle(0, record(1, 'garbage'), bad, aggregates(3, 0, 'a'), aggregates(4, 1))
    expect(worker.changes).toEqual(['a firing'])
    expect(worker.rejected).toBe(2)
  })

  test('may bring a silence', async () => {
    const worker = new Worker()
    await worker.takeUp(0)
    const silence = formatSilence({
      id: 's',
      rule: '',
      matchers: {},
      createdBy: '',
      comment: '',
      fromMs: 0,
      untilMs: NOON * 2,
    })
    const brings = record(1, aggregates(1, 0).value, { headers: { [SILENCE_HEADER]: silence } })
    await worker.handle(0, brings, aggregates(2, 0, 'a'), aggregates(3, 1))
    expect(worker.told).toMatchObject([{ state: 'firing', notify: false, muted_by: 'silence:s' }])
  })

  test('of a partition that was not taken up are a bug', async () => {
    const worker = new Worker()
    await expect(worker.handle(0, aggregates(1, 0))).rejects.toThrow('partition 0')
  })
})

describe('The state', () => {
  test('is written after the alerts, once it is sure that the partition is still ours', async () => {
    const worker = new Worker()
    await worker.takeUp(0)
    await worker.handle(0, aggregates(1, 0, 'a'), aggregates(5, 1))
    expect(worker.log).toEqual([`write ${alerts.name}`, 'markPending', `write ${STATE_TOPIC}`])
    expect(worker.state.at.get(0)).toEqual({ offset: 6n, metadata: 'up to 5' })
  })

  test('is written when it is due, and not with every run', async () => {
    clockAt(0)
    const worker = new Worker()
    await worker.takeUp(0)
    await worker.handle(0, aggregates(1, 0, 'a'))
    expect(worker.state.at.get(0)?.offset).toBe(2n)
    clockAt(4_999)
    await worker.handle(0, aggregates(2, 0, 'a'))
    expect(worker.state.at.get(0)?.offset).toBe(2n)
    clockAt(5_000)
    await worker.handle(0, aggregates(3, 0, 'a'))
    expect(worker.state.at.get(0)?.offset).toBe(4n)
  })

  test('is written when much has changed', async () => {
    clockAt(0)
    const worker = new Worker()
    await worker.takeUp(0)
    await worker.handle(0, aggregates(1, 0, 'a'))
    const models = Array.from({ length: 10_000 }, (_, i) => `model ${i}`)
    await worker.handle(0, aggregates(2, 0, ...models.slice(1)))
    expect(worker.state.at.get(0)?.offset).toBe(2n)
    await worker.handle(0, aggregates(3, 0, ...models))
    expect(worker.state.at.get(0)?.offset).toBe(4n)
  })

  test('is not written by who has lost the partition', async () => {
    const worker = new Worker()
    await worker.takeUp(0)
    const chunk = {
      topic: 'aggregates',
      partition: 0,
      first: 1n,
      last: 1n,
      wasPending: false,
      records: [aggregates(1, 0, 'a')],
    }
    const control = {
      ...memoryControl([]),
      markPending: () => Promise.reject(new LostPartitionError('gone')),
    }
    await expect(worker.stage.handle(chunk, control)).rejects.toThrow(LostPartitionError)
    expect(worker.state.at.size).toBe(0)
  })

  test('says where to read from, and the same records make the same alerts again', async () => {
    clockAt(0)
    const first = new Worker()
    expect(await first.takeUp(0)).toBeUndefined()
    const records = [aggregates(1, 0, 'a'), aggregates(2, 1), aggregates(3, 2), aggregates(4, 3)]
    await first.handle(0, ...records.slice(0, 1))
    await first.handle(0, ...records.slice(1))
    expect(first.changes).toEqual(['a firing', 'a resolved'])
    const second = new Worker(RULES, [], first.state)
    expect(await second.takeUp(0)).toBe(2n)
    await second.handle(0, ...records.slice(1))
    expect(second.written).toEqual(first.written)
  })

  test('is that of one partition', async () => {
    const worker = new Worker()
    await worker.stage.takeUp?.(0)
    await worker.stage.takeUp?.(1)
    await worker.handle(0, aggregates(1, 0, 'a'))
    await worker.handle(1, aggregates(1, 0, 'b'), aggregates(2, 1))
    expect(worker.changes).toEqual(['b firing'])
    expect([...worker.stage.evaluators()]).toHaveLength(2)
  })
})

describe('Partitions', () => {
  test('that are given away are dropped', async () => {
    const worker = new Worker()
    await worker.stage.takeUp?.(0)
    await worker.stage.takeUp?.(1)
    worker.stage.onAssigned?.([1, 2])
    expect([...worker.stage.evaluators()]).toHaveLength(1)
    await expect(worker.handle(0, aggregates(1, 0))).rejects.toThrow('partition 0')
    await worker.handle(1, aggregates(1, 0, 'a'))
  })
})

describe('Changed rules', () => {
  test('hold for partitions that are there, and for those that come', async () => {
    const worker = new Worker()
    await worker.takeUp(0)
    await worker.handle(0, aggregates(1, 0, 'a'), aggregates(2, 1))
    worker.stage.configure(NO_RULES)
    await worker.stage.takeUp?.(1)
    await worker.handle(0, aggregates(3, 1))
    await worker.handle(1, aggregates(1, 0, 'b'), aggregates(2, 1))
    expect(worker.changes).toEqual(['a firing', 'a resolved'])
  })
})
