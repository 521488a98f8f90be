import { evaluationIdOf } from '#runtime/evaluation-id.ts'
import type { Evaluation } from '#schemas/items.ts'
import { evaluations } from '#schemas/topics.ts'
import { AvroReader } from '#schemas/wire.ts'
import { readLowQualityEvent, readResultEvent, type Verdict } from './evaluation-events.ts'
import { avroString } from './rates.ts'
import { fieldIndex, type SpanView, stringFieldIndex } from './span-view.ts'
import { type Tag, TAGS } from './tags.ts'

const EVENTS = fieldIndex('events')
const START = fieldIndex('start_time_unix_nano')
const DURATION = fieldIndex('duration_nano')
const RECEIVED = fieldIndex('received_time_unix_nano')
const ATTRIBUTES = fieldIndex('attributes')
const TRACE_ID = stringFieldIndex('trace_id')
const SPAN_ID = stringFieldIndex('span_id')
const REQUEST_MODEL = stringFieldIndex('request_model')
const RESPONSE_MODEL = stringFieldIndex('response_model')
const RESPONSE_ID = stringFieldIndex('response_id')
const USER = stringFieldIndex('user')
const SESSION = stringFieldIndex('session')
const REQUEST_ID = stringFieldIndex('request_id')
const SERVICE = stringFieldIndex('service')
const PROVIDER = stringFieldIndex('provider')
const PROMPT_ID = stringFieldIndex('prompt_id')
const PROMPT_VERSION = stringFieldIndex('prompt_version')
const EXPERIMENT = stringFieldIndex('experiment')
const VARIANT = stringFieldIndex('variant')
const DOMAIN = stringFieldIndex('domain')

const RESULT_NAME = avroString('gen_ai.evaluation.result')
const LOW_QUALITY_NAME = avroString('low_quality_output')

/** Of more evaluations in one span only the first are taken. */
const MAX_PER_SPAN = 1_000
/** Evaluations in one record of the topic. */
const MAX_PER_BATCH = 1_000

/** What a span says of each of its evaluations. */
type Cohort = Omit<Evaluation, keyof Verdict | 'evaluation_id' | 'time_unix_nano'> & {
  readonly response_id: string
  readonly use_case: string
  /** When the span ended, nanoseconds since the epoch. */
  readonly end: bigint
}

/**
 * Finds the scores that spans carry as events, named gen_ai.evaluation.result or low_quality_output.
 * Each gets the cohort of its span. Keeps what it finds until it is taken.
 */
export class SpanEvaluations {
  #found: Evaluation[] = []
  readonly #reader = new AvroReader(Buffer.alloc(0))

  /** How many have been found since they were taken. */
  get count(): number {
    return this.#found.length
  }

  /**
   * Looks at a span's events; `tags` are its tags where rules changed them. False where the span has
   * more evaluations than are taken. Throws WireError.
   */
  collect(span: SpanView, tags: readonly string[] | undefined): boolean {
    const reader = this.#reader
    const { buffer } = span.reader
    reader.buffer = buffer
    reader.position = span.starts[EVENTS] ?? 0
    let cohort: Cohort | undefined
    let count = 0
    reader.skipBlocks(() => {
      const timeAt = reader.position
      reader.skipLong()
      const read = readerOf(buffer, reader.position)
      reader.skipString()
      if (read === undefined || ++count > MAX_PER_SPAN) {
        reader.skipStringMap()
        return
      }
      cohort ??= cohortOf(span, tags)
      this.#found.push(evaluationOf(cohort, longAt(buffer, timeAt), read(stringMap(reader))))
    })
    return count <= MAX_PER_SPAN
  }

  /** What was found, as batches for the topic; it is forgotten here. */
  take(): readonly Buffer[] {
    const batches: Buffer[] = []
    for (let from = 0; from < this.#found.length; from += MAX_PER_BATCH) {
      batches.push(evaluations.codec.encode(this.#found.slice(from, from + MAX_PER_BATCH)))
    }
    this.clear()
    return batches
  }

  /** Forgets what was found. */
  clear(): void {
    if (this.#found.length > 0) this.#found = []
  }
}

/** Whether a span has events: all that most spans are asked. */
export function hasEvents(span: SpanView): boolean {
  return !span.isEmpty(EVENTS)
}

/** How to read an event by its name; undefined for one that is no evaluation. */
function readerOf(buffer: Buffer, nameAt: number): typeof readResultEvent | undefined {
  if (isAt(RESULT_NAME, buffer, nameAt)) return readResultEvent
  return isAt(LOW_QUALITY_NAME, buffer, nameAt) ? readLowQualityEvent : undefined
}

function isAt(bytes: Buffer, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[start + i] !== bytes[i]) return false
  return true
}

function cohortOf(span: SpanView, changed: readonly string[] | undefined): Cohort {
  const { buffer } = span.reader
  const long = (field: number) => longAt(buffer, span.starts[field] ?? 0)
  const tag = (name: Tag) => changed?.[TAGS.indexOf(name)] ?? span.text(stringFieldIndex(name))
  const asked = span.text(REQUEST_MODEL)
  return {
    trace_id: span.text(TRACE_ID),
    span_id: span.text(SPAN_ID),
    response_id: span.text(RESPONSE_ID),
    tenant: tag('tenant'),
    team: tag('team'),
    feature: tag('feature'),
    environment: tag('environment'),
    cost_centre: tag('cost_centre'),
    user_tier: tag('user_tier'),
    user: span.text(USER),
    session: span.text(SESSION),
    request_id: span.text(REQUEST_ID),
    service: span.text(SERVICE),
    provider: span.text(PROVIDER),
    model: asked === '' ? span.text(RESPONSE_MODEL) : asked,
    prompt_id: span.text(PROMPT_ID),
    prompt_version: span.text(PROMPT_VERSION),
    experiment: span.text(EXPERIMENT),
    variant: span.text(VARIANT),
    domain: span.text(DOMAIN),
    use_case: span.entry(ATTRIBUTES, 'use_case'),
    origin: 'span_event',
    end: long(START) + long(DURATION),
    received_time_unix_nano: long(RECEIVED),
  }
}

/** An event without a time counts as told at the span's end. */
function evaluationOf({ end, ...cohort }: Cohort, eventTime: bigint, verdict: Verdict): Evaluation {
  const time = eventTime === 0n ? end : eventTime
  const evaluation = {
    ...cohort,
    ...verdict,
    response_id: verdict.response_id === '' ? cohort.response_id : verdict.response_id,
    use_case: verdict.use_case === '' ? cohort.use_case : verdict.use_case,
    time_unix_nano: time,
  }
  return { ...evaluation, evaluation_id: evaluationIdOf({ ...evaluation, time }) }
}

/** A map of strings at the reader's position. */
function stringMap(reader: AvroReader): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  reader.skipBlocks(() => {
    const key = reader.string()
    entries.set(key, reader.string())
  })
  return entries
}

/** An Avro long with all its digits; one that was stepped over before, so that its end is there. */
function longAt(buffer: Buffer, start: number): bigint {
  let value = 0n
  for (let at = start, shift = 0n; ; at++, shift += 7n) {
    const byte = buffer[at] ?? 0
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }
}
