import type { Metrics } from '#runtime/metrics.ts'
import type { Alert } from '#schemas/items.ts'
import type { EvaluateStageOptions } from './evaluate-stage.ts'
import type { Evaluator } from './evaluator.ts'

/** Counts what evaluators decide, and tells how much they hold. */
export function observeAlerts(
  metrics: Metrics,
  evaluators: () => Iterable<Evaluator>,
): Pick<EvaluateStageOptions, 'onAlerts' | 'onRejected'> {
  const changes = metrics.counter('spanmeter_alert_changes_total', 'Changes of alerts.', [
    'rule',
    'state',
  ])
  const rejected = metrics.counter(
    'spanmeter_alert_rejected_aggregates_total',
    'Records of span.aggregates that hold no batch.',
    [],
  )
  const sum = (read: (evaluator: Evaluator) => number) =>
    [...evaluators()].reduce((total, evaluator) => total + read(evaluator), 0)
  const observed = (name: string, help: string, read: (evaluator: Evaluator) => number) =>
    metrics.observedGauge(name, help, () => sum(read))
  observed('spanmeter_alert_groups', 'Groups that are held.', (of) => of.size().groups)
  observed('spanmeter_alert_state_bytes', 'Their size, estimated.', (of) => of.size().bytes)
  observed(
    'spanmeter_alert_groups_overflowed',
    'Aggregates that found no room for a group of their own.',
    (of) => of.overflowed,
  )
  observed('spanmeter_alert_late_aggregates', 'Aggregates after their window.', (of) => of.late)
  observed(
    'spanmeter_alert_too_old_aggregates',
    'Aggregates older than all that is kept.',
    (of) => of.tooOld,
  )
  return {
    onAlerts(made: readonly Alert[]) {
      for (const { rule, state } of made) changes.inc({ rule, state })
    },
    onRejected: () => rejected.inc(),
  }
}
