import { createHash } from 'node:crypto'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { alertState, otlpSpans, spanAggregates } from '#schemas/topics.ts'
import { parseConfig as parseIngestConfig } from '../../services/ingest/config.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import { translate } from '../../services/ingest/translate.ts'
import { actualRollup, expectedRollup, rollups } from '../integration/rollups.ts'
import {
  actualEvaluations,
  actualScores,
  evaluationsOfBodies,
  evaluationsOfSpans,
  expectedEvaluations,
  expectedScores,
} from '../integration/scores.ts'
import { expectedSpans } from '../support/expected.ts'
import type { ChaosStack } from './chaos-stack.ts'
import { compareLines, type Difference } from './difference.ts'
import type { Sending } from './load.ts'
import type { Poison } from './poison.ts'

/** What the pipeline was given: what must be in the tables, no more and no less. */
export interface Given {
  /** Requests that count once each: those that clients were told are taken, and the topic's records. */
  readonly spanBodies: readonly Buffer[]
  readonly scoreBodies: readonly Buffer[]
  /** Requests of the topic, as its producer was told that they are there. */
  readonly topicBodies: readonly Buffer[]
  readonly topicRecords: readonly Buffer[]
  readonly poison: ReturnType<Poison['sent']>
  /** Values by topic of what was poisoned, as they lie there. */
  readonly poisonRecords: readonly { readonly topic: string; readonly value: Buffer }[]
}

/** Readers who write no dead letter: they count what they could not read. */
const COUNTED_ONLY: ReadonlySet<string> = new Set([spanAggregates.name, alertState.name])

/** Collects what must have landed. A producer of the topic that tries again may write a record twice. */
export async function collectGiven(
  { kafka }: ChaosStack,
  accepted: readonly Sending[],
  poison: Poison,
): Promise<Given> {
  const sent = poison.sent()
  const keys = new Set(sent.map(({ topic, value }) => `${topic} ${hashOf(value)}`))
  const poisonRecords: { topic: string; value: Buffer }[] = []
  const topicRecords: Buffer[] = []
  for (const topic of new Set([otlpSpans.name, ...sent.map((one) => one.topic)])) {
    for (const value of await readValues(kafka, topic)) {
      if (keys.has(`${topic} ${hashOf(value)}`)) poisonRecords.push({ topic, value })
      else if (topic === otlpSpans.name) topicRecords.push(value)
    }
  }
  const direct = accepted.filter(({ via }) => via !== 'topic')
  const once = (of: Sending['of']) => [
    ...new Set(direct.filter((one) => one.of === of).map(({ body }) => body)),
  ]
  const topicBodies = accepted.filter(({ via }) => via === 'topic').map(({ body }) => body)
  return {
    spanBodies: [...once('spans'), ...topicRecords],
    scoreBodies: once('scores'),
    topicBodies,
    topicRecords,
    poison: sent,
    poisonRecords,
  }
}

async function readValues(kafka: ChaosStack['kafka'], topic: string): Promise<readonly Buffer[]> {
  const values: Buffer[] = []
  const partitions = await kafka.partitions(topic)
  for (let partition = 0; partition < partitions; partition++) {
    await kafka.readPartition(topic, partition, ({ value }) => values.push(value))
  }
  return values
}

function hashOf(value: Buffer): string {
  return createHash('sha256').update(value).digest('hex')
}

/** Compares every table that spans, scores and dead letters reach with what was given. */
export async function compareTables(
  { clickhouse }: ChaosStack,
  given: Given,
): Promise<readonly Difference[]> {
  const spans = expectedSpans(given.spanBodies)
  const ids = spans.map(({ trace_id: trace, span_id: span }) => `${trace}/${span}`)
  const differences = [
    compareTopic(given),
    comparePoison(given),
    compareLines('spans by id', ids, await linesOf(clickhouse, SPAN_IDS)),
  ]
  for (const rollup of rollups) {
    const actual = await actualRollup(clickhouse, rollup)
    differences.push(compareLines(rollup.table, expectedRollup(rollup, spans), actual))
  }
  const scores = [
    ...evaluationsOfBodies(given.scoreBodies),
    ...evaluationsOfSpans(given.spanBodies),
  ]
  differences.push(
    compareLines('evaluations', expectedEvaluations(scores), await actualEvaluations(clickhouse)),
    compareLines('scores_by_evaluator_1m', expectedScores(scores), await actualScores(clickhouse)),
    compareLines('dead letters', lettersOf(given), await linesOf(clickhouse, LETTERS)),
    compareLines(
      'dead letters by their places',
      await linesOf(clickhouse, LETTER_PLACES_ONCE),
      await linesOf(clickhouse, LETTER_PLACES),
    ),
  )
  return differences
}

const SPAN_IDS = `SELECT concat(trace_id, '/', span_id) AS line FROM spans`
const LETTERS = `SELECT lower(hex(SHA256(payload))) AS line FROM dead_letters`
const PLACE = `concat(worker, ' ', source, ' ', toString(partition), ' ', toString(offset), ' ', toString(index))`
const LETTER_PLACES = `SELECT ${PLACE} AS line FROM dead_letters WHERE offset >= 0`
const LETTER_PLACES_ONCE = `SELECT DISTINCT ${PLACE} AS line FROM dead_letters WHERE offset >= 0`

async function linesOf(clickhouse: ClickHouse, sql: string): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ line: string }>(sql)
  return rows.map(({ line }) => line)
}

/** What a producer of the topic was told is there must be there, once or more. */
function compareTopic({ topicBodies, topicRecords }: Given): Difference {
  const there = new Set(topicRecords.map(hashOf))
  const told = [...new Set(topicBodies.map(hashOf))]
  const found = told.filter((hash) => there.has(hash))
  return compareLines(otlpSpans.name, told, found)
}

function comparePoison({ poison, poisonRecords }: Given): Difference {
  const lines = (list: Given['poison']) =>
    new Set(list.map(({ topic, value }) => `${topic} ${hashOf(value)}`))
  return compareLines('poison in its topics', lines(poison), lines(poisonRecords))
}

/** The payload's hash of each dead letter that there must be. */
function lettersOf({ spanBodies, poisonRecords }: Given): readonly string[] {
  const ingest = parseIngestConfig({})
  const transcode = createTranscoder(ingest.conventions, ingest.transcode)
  const rejected = spanBodies.flatMap((body) => {
    const translation = translate(transcode, 'proto', body, 0)
    return translation.type === 'translated' ? translation.rejected : []
  })
  const poisonous = poisonRecords.filter(({ topic }) => !COUNTED_ONLY.has(topic))
  return [
    ...rejected.map(({ payload }) => hashOf(payload)),
    ...poisonous.map((one) => hashOf(one.value)),
  ]
}
