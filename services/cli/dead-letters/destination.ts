import { HOLDS_EVALUATIONS, HOLDS_HEADER, TENANT_HEADER } from '#runtime/dead-letters.ts'
import { otlpSpans, topics } from '#schemas/topics.ts'
import type { Letter } from './letters.ts'

/** The record that a dead letter becomes when it is sent again. */
export interface Resent {
  readonly topic: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer
}

/** A letter cannot be sent again as it is; the reason is a sentence for a person. */
export interface Unsendable {
  readonly problem: string
}

/** Tag and wire type of the fields that lead from a request to a span. */
const RESOURCE_SPANS = 0x0a
const SCOPE_SPANS = 0x12
const SPAN = 0x12

/**
 * Where a letter goes, and as what: requests and scores to otlp_spans, with the tenant that they came
 * with, and batches back to the topic that they were read from. `fixed` goes in place of its bytes.
 */
export function destinationOf(letter: Letter, fixed?: Buffer): Resent | Unsendable {
  const { format, tenant, source, reason, id } = letter
  const payload = fixed ?? letter.payload
  if (payload.length === 0) {
    return { problem: `${id} has no bytes any more: they were left out when it was written` }
  }
  const owner = tenant === '' ? {} : { [TENANT_HEADER]: tenant }
  if (format === 'evaluation_json') {
    const headers = { ...owner, [HOLDS_HEADER]: HOLDS_EVALUATIONS }
    return { topic: otlpSpans.name, headers, payload }
  }
  if (format.startsWith('otlp_')) return otlpRecord(format, owner, payload, fixed !== undefined)
  if (reason === 'too_many_evaluations') {
    const problem = `${id} is of a span that has landed: sent again it would count twice. Send its scores to POST /v1/evaluations`
    return { problem }
  }
  const topic = topics.find(({ name, isCompacted }) => name === source && isCompacted !== true)
  if (topic === undefined) return { problem: `${id} came from ${source}, which is no topic` }
  return { topic: topic.name, headers: {}, payload }
}

/** Letters of spans of earlier versions hold the span alone; what is given in a file is a request. */
function otlpRecord(
  format: string,
  owner: Readonly<Record<string, string>>,
  payload: Buffer,
  isFixed: boolean,
): Resent {
  const isJson = isFixed ? isJsonText(payload) : format.endsWith('_json')
  const type = isJson ? 'application/json' : 'application/x-protobuf'
  const isSpanAlone = !isFixed && format.startsWith('otlp_span_')
  const request = isSpanAlone ? (isJson ? jsonRequest(payload) : protoRequest(payload)) : payload
  return { topic: otlpSpans.name, headers: { ...owner, 'content-type': type }, payload: request }
}

function isJsonText(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}

function jsonRequest(span: Buffer): Buffer {
  return Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${span.toString()}]}]}]}`)
}

function protoRequest(span: Buffer): Buffer {
  return message(RESOURCE_SPANS, message(SCOPE_SPANS, message(SPAN, span)))
}

function message(tag: number, body: Buffer): Buffer {
  const head = [tag]
  let rest = body.length
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) head.push((rest % 128) | 0x80)
  head.push(rest)
  return Buffer.concat([Buffer.from(head), body])
}
