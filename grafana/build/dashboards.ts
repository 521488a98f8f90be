import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { alerts } from './alerts.ts'
import { cost } from './cost.ts'
import { errors } from './errors.ts'
import { latency } from './latency.ts'
import { overview } from './overview.ts'
import { pipeline } from './pipeline.ts'
import { quality } from './quality.ts'
import { traces } from './traces.ts'

/** Every dashboard, in the order of the menu. */
const DASHBOARDS: readonly (() => Dashboard)[] = [
  overview,
  latency,
  errors,
  cost,
  quality,
  traces,
  alerts,
  pipeline,
]

/** The text of each file of grafana/dashboards, by its name. */
export function dashboardFiles(): readonly { readonly file: string; readonly text: string }[] {
  return DASHBOARDS.map((build) => {
    const built = build()
    const file = `${(built.uid ?? '').replace('spanmeter-', '')}.json`
    return { file, text: `${JSON.stringify(built, null, 2)}\n` }
  })
}
