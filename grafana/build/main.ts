import { writeFileSync } from 'node:fs'
import { dashboardFiles } from './dashboards.ts'

/** `npm run dashboards`: writes grafana/dashboards anew. */
for (const { file, text } of dashboardFiles()) {
  writeFileSync(new URL(`../dashboards/${file}`, import.meta.url), text)
  process.stdout.write(`grafana/dashboards/${file}\n`)
}
