import { isUtf8 } from 'node:buffer'
import type { Evaluation } from '#schemas/items.ts'
import { isObject, type Mistake, readEvaluation } from './evaluations.ts'
import { hasTooManyContainers } from './json-containers.ts'

/** An evaluation of a request that cannot be taken in. */
export interface BadEvaluation {
  /** Its number within the request. */
  readonly index: number
  readonly mistakes: readonly Mistake[]
  /** The JSON of what was sent. */
  readonly payload: Buffer
}

/** What a request holds, or why it holds nothing. */
export type EvaluationsRequest =
  | {
      readonly type: 'read'
      readonly evaluations: readonly Evaluation[]
      readonly bad: readonly BadEvaluation[]
    }
  | { readonly type: 'malformed'; readonly message: string }
  | { readonly type: 'too_large'; readonly message: string }

const MAX_EVALUATIONS = 10_000
/** An evaluation is one object without others in it, so that this is plenty even where many are wrong. */
const MAX_CONTAINERS = 20 * MAX_EVALUATIONS
const MAX_NAME_LENGTH = 100

/**
 * Reads the body of a request: one evaluation, an array of them, or {"evaluations": […]}. `received` is
 * nanoseconds since the epoch.
 */
export function readEvaluationsRequest(body: Buffer, received: bigint): EvaluationsRequest {
  if (hasTooManyContainers(body, MAX_CONTAINERS)) {
    const message = `The request holds more than ${MAX_CONTAINERS} objects and arrays`
    return { type: 'too_large', message }
  }
  const sent = parseJson(body)
  if (sent === undefined) return { type: 'malformed', message: 'The body is not JSON in UTF-8' }
  const list = listOf(sent)
  if (typeof list === 'string') return { type: 'malformed', message: list }
  if (list.length > MAX_EVALUATIONS) {
    const message = `The request holds ${list.length} evaluations; send at most ${MAX_EVALUATIONS}`
    return { type: 'too_large', message }
  }
  const evaluations: Evaluation[] = []
  const bad: BadEvaluation[] = []
  for (const [index, item] of list.entries()) {
    const reading = readEvaluation(item, received)
    if (reading.type === 'read') {
      evaluations.push(reading.evaluation)
      continue
    }
    const payload = toJson(item)
    if (payload === undefined) {
      return { type: 'malformed', message: `Evaluation ${index} nests too deeply` }
    }
    bad.push({ index, mistakes: reading.mistakes, payload })
  }
  return { type: 'read', evaluations, bad }
}

/** Undefined for what nests deeper than the stack is. */
function toJson(value: unknown): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(value))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Undefined for what is no JSON. */
function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) return undefined
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** The evaluations of a request, or what is wrong with its form. */
function listOf(sent: unknown): readonly unknown[] | string {
  if (Array.isArray(sent)) return sent
  if (!isObject(sent)) return 'The body must be an evaluation, or an array of evaluations'
  if (!Object.hasOwn(sent, 'evaluations')) return [sent]
  const { evaluations, ...rest } = sent
  if (!Array.isArray(evaluations)) return 'evaluations must be an array'
  const [other] = Object.keys(rest)
  if (other === undefined) return evaluations
  return `Beside evaluations there may be nothing, such as ${other.slice(0, MAX_NAME_LENGTH)}`
}
