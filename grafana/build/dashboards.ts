import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { overview } from './overview.ts'

/** Every dashboard, in the order of the menu. */
const DASHBOARDS: readonly (() => Dashboard)[] = [overview]

/** The text of each file of grafana/dashboards, by its name. */
export function dashboardFiles(): readonly { readonly file: string; readonly text: string }[] {
  return DASHBOARDS.map((build) => {
    const built = build()
    const file = `${(built.uid ?? '').replace('spanmeter-', '')}.json`
    return { file, text: `${JSON.stringify(built, null, 2)}\n` }
  })
}
