import { evaluationIdOf } from '#runtime/evaluation-id.ts'
import type { Rejected } from '#runtime/dead-letters.ts'
import type { Evaluation } from '#schemas/items.ts'
import { AvroReader, type AvroWriter } from '#schemas/wire.ts'
import { maskProto, maskText } from './payload-redactor.ts'
import { actionFor, type Policies } from './policy.ts'
import { SpanRedactor } from './span-redactor.ts'
import { redactField, type RedactionScope, redactText } from './text-redactor.ts'

/** Takes personal data and secrets out of what ingest is about to write, by the policy of whose it is. */
export interface Redactor {
  /** Redacts the span that was written last, from `from` on. A tenant that is given is the key's. */
  readonly redactItem: (items: AvroWriter, from: number, tenant: string | undefined) => void
  readonly redactEvaluations: (evaluations: readonly Evaluation[]) => readonly Evaluation[]
  readonly redactRejected: (rejected: readonly Rejected[]) => readonly Rejected[]
}

/** What was refused holds no payload then, and its detail says so. */
const LEFT_OUT = '(what was sent is left out, as the redaction policy asks for more than masking)'
const UNREADABLE = '(what was sent is left out: it cannot be read, and so not redacted)'

/** Leaves everything as it came: what there is without a policy. */
export const KEEP_ALL: Redactor = {
  redactItem: () => undefined,
  redactEvaluations: (evaluations) => evaluations,
  redactRejected: (rejected) => rejected,
}

const redactorOf = (policies: Policies | undefined): Redactor =>
  policies === undefined ? KEEP_ALL : createRedactor(policies)

/** A redactor whose policies can be replaced while it is in use; undefined: everything is kept. */
export function createSwappableRedactor(
  first: Policies | undefined,
): Redactor & { readonly swap: (policies: Policies | undefined) => void } {
  let newest = redactorOf(first)
  return {
    redactItem: (items, from, tenant) => newest.redactItem(items, from, tenant),
    redactEvaluations: (evaluations) => newest.redactEvaluations(evaluations),
    redactRejected: (rejected) => newest.redactRejected(rejected),
    swap(policies) {
      newest = redactorOf(policies)
    },
  }
}

/** Makes a redactor. */
export function createRedactor(policies: Policies): Redactor {
  const spans = new SpanRedactor()
  const scopes = new Map<string, RedactionScope | undefined>()
  const scopeOf = (tenant: string): RedactionScope | undefined => {
    if (scopes.has(tenant)) return scopes.get(tenant)
    if (scopes.size >= MAX_SCOPES) scopes.clear()
    const policy = policies.policyOf(tenant)
    const scope = policy === undefined ? undefined : { policy, tenant, key: policies.key }
    scopes.set(tenant, scope)
    return scope
  }
  return {
    redactItem(items, from, tenant) {
      // The tenant is the first field of a span.
      const reader = new AvroReader(items.buffer, from)
      const scope = scopeOf(tenant ?? reader.string())
      if (scope !== undefined) spans.redact(items, from, scope, tenant !== undefined)
    },
    redactEvaluations: (evaluations) =>
      evaluations.map((evaluation) => {
        const scope = scopeOf(evaluation.tenant)
        return scope === undefined ? evaluation : redactEvaluation(scope, evaluation)
      }),
    redactRejected: (rejected) =>
      rejected.map((each) => {
        const scope = scopeOf(each.tenant)
        return scope === undefined ? each : redactOne(scope, each)
      }),
  }
}

/** Scopes are kept for as many tenants; beyond it they are made again. */
const MAX_SCOPES = 10_000
/** Hexadecimal digits, and words of our own. */
const OWN_FIELDS = new Set(['trace_id', 'span_id', 'origin'])

function redactWhole(scope: RedactionScope, text: string): string {
  const bytes = Buffer.from(text)
  const features = scope.policy.scan(bytes, 0, bytes.length)
  return features === 0 ? text : redactText(scope, text, features)
}

function redactEvaluation(scope: RedactionScope, evaluation: Evaluation): Evaluation {
  const redacted = mapTexts(evaluation, (name, text) => {
    if (text === '' || OWN_FIELDS.has(name)) return text
    const action = actionFor(scope.policy.fields, name)
    return action === undefined ? redactWhole(scope, text) : redactField(scope, action, text)
  })
  if (redacted.evaluation_id === evaluation.evaluation_id) return redacted
  // Two scores must not become one because their ids hid the same kind of thing.
  const { time_unix_nano: told, received_time_unix_nano: received } = evaluation
  const time = told === received ? undefined : told
  return { ...redacted, evaluation_id: evaluationIdOf({ ...redacted, time }) }
}

function mapTexts(
  evaluation: Evaluation,
  change: (name: string, text: string) => string,
): Evaluation {
  const changed = Object.entries(evaluation).map(
    ([name, value]) => [name, typeof value === 'string' ? change(name, value) : value] as const,
  )
  return { ...evaluation, ...Object.fromEntries(changed) }
}

function redactOne(scope: RedactionScope, rejected: Rejected): Rejected {
  const detail = redactWhole(scope, rejected.detail)
  const leftOut = (why: string): Rejected => ({
    ...rejected,
    detail: `${detail} ${why}`,
    payload: Buffer.alloc(0),
  })
  if (scope.policy.leavesPayloadsOut) return leftOut(LEFT_OUT)
  const isProto = rejected.format.endsWith('_proto')
  const payload = (isProto ? maskProto : maskText)(scope, rejected.payload)
  return payload === undefined ? leftOut(UNREADABLE) : { ...rejected, detail, payload }
}
