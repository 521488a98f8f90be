import { linksOf, linkTo } from './links.ts'
import { table } from './panels.ts'

/** Tables of the same shape: a title, a column of cost_by_user_1h, and dashboards that can show one alone. */
const TABLES = [
  ['Tenants', 'tenant', ['cost', 'traces']],
  ['Teams', 'team', []],
  ['Features', 'feature', ['cost', 'traces']],
  ['Models', 'model', ['cost', 'traces']],
  ['Users, the dearest twenty', 'user', ['cost', 'traces']],
  ['Prompts and versions', 'prompt', []],
  ['Cost centres', 'cost_centre', []],
  ['User tiers', 'user_tier', ['cost']],
] as const

const LINKS = { cost: 'Only this', traces: 'Its traces' } as const

/** What calls cost by each that may be charged for them. */
export function costTables() {
  return TABLES.map(([title, by, shownBy]) => costTable(title, by, shownBy))
}

function costTable(title: string, by: string, shownBy: readonly (keyof typeof LINKS)[]) {
  const links = shownBy.map((to) =>
    linkTo(LINKS[to], { to, variables: { [by]: '${__value.raw}' } }),
  )
  const name = by.replace('_', ' ')
  return table({
    title,
    description: `What calls of the range cost by ${name}, by whole hours; calls without a price are not in USD.`,
    query: 'cost/by',
    by,
    unit: 'short',
    width: 12,
    height: 9,
  })
    .overrideByRegexp('/^(usd|per call)$/', [{ id: 'unit', value: 'currencyUSD' }])
    .overrideByName('per call', [{ id: 'decimals', value: 5 }])
    .overrideByName('share', [{ id: 'unit', value: 'percentunit' }])
    .overrideByName('name', [{ id: 'displayName', value: name }, linksOf(...links)])
}
