import { TENANT_HEADER } from '#runtime/dead-letters.ts'
import { toNanos } from '#runtime/time.ts'
import type { Transform } from '#runtime/transform-stage.ts'
import { encodeEvaluations, FORMAT, ownedBy, toRejected } from './evaluations-acceptor.ts'
import { readEvaluationsRequest } from './evaluations-request.ts'
import { KEEP_ALL, type Redactor } from './redact/redactor.ts'

/** Turns a record of `otlp_spans` that says it holds scores into batches of them: the second output. */
export function createEvaluationsTransform(
  onAccepted: (evaluations: number) => void,
  redactor: Redactor = KEEP_ALL,
): Transform {
  return ({ value, headers, timeMs }) => {
    const tenant = headers[TENANT_HEADER]
    const request = readEvaluationsRequest(value, toNanos(timeMs))
    if (request.type !== 'read') {
      const { type: reason, message: detail } = request
      const letter = { index: -1, reason, detail, format: FORMAT, payload: value }
      return {
        values: [],
        rejected: redactor.redactRejected([{ ...letter, tenant: tenant ?? '' }]),
      }
    }
    const { evaluations, bad } = request
    if (evaluations.length > 0) onAccepted(evaluations.length)
    return {
      values: [],
      secondValues: encodeEvaluations(ownedBy(tenant, evaluations), redactor),
      rejected: redactor.redactRejected(
        bad.map((each) => ({ ...toRejected(each), tenant: tenant ?? '' })),
      ),
    }
  }
}
