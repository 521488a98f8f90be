import { readdirSync, readFileSync } from 'node:fs'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { dashboardFiles } from '../../../grafana/build/dashboards.ts'
import { DATA_SOURCE } from '../../../grafana/build/query.ts'
import { parseRuleFiles, shippedRuleFiles } from '../../../services/alert/rule-file.ts'

/** The dashboards as files: fresh, valid, whole, and every link and variable leads somewhere. */

const FOLDER = new URL('../../../grafana/dashboards/', import.meta.url)

/** What is read of a dashboard here. */
interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly refresh: string
  readonly panels: readonly AnyPanel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
  readonly annotations: {
    readonly list: readonly { readonly target: { readonly rawSql: string } }[]
  }
}
type AnyPanel = Omit<Panel, 'panels' | 'targets'> & {
  readonly collapsed?: boolean
  readonly panels?: readonly AnyPanel[]
  readonly targets?: readonly { readonly rawSql: string; readonly datasource: { uid: string } }[]
}

const files = dashboardFiles()
const dashboards: readonly Dashboard[] = files.map(({ text }) => JSON.parse(text))
const byUid = new Map(dashboards.map((dashboard) => [dashboard.uid, dashboard]))
const named = dashboards.map((dashboard) => [dashboard.uid, dashboard] as const)
const isRow = ({ type }: AnyPanel) => type === 'row'
const panelsOf = ({ panels }: Dashboard): readonly AnyPanel[] =>
  panels.flatMap((panel) => (isRow(panel) ? (panel.panels ?? []) : [panel]))
const variablesOf = ({ templating }: Dashboard) => templating.list.map(({ name }) => name)

test('The files are what the generator makes: run `npm run dashboards` after a change', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(files.map(({ file }) => file).sort())
  const stale = files.filter(
    ({ file, text }) => readFileSync(new URL(file, FOLDER), 'utf8') !== text,
  )
  expect(stale.map(({ file }) => file)).toEqual([])
})

test('All eight are there', () => {
  expect([...byUid.keys()].sort()).toEqual(
    ['alerts', 'cost', 'errors', 'latency', 'overview', 'pipeline', 'quality', 'traces'].map(
      (name) => `spanmeter-${name}`,
    ),
  )
})

interface Schema {
  readonly definitions: Record<string, { properties?: Record<string, unknown> }>
}

function readSchema(name: string): Schema {
  const file = new URL(`../schema/${name}.jsonschema.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** Grafana takes anything for these, which the schema's generator wrote down as objects. */
function dashboardSchema(): Schema {
  const schema = readSchema('dashboard')
  const { MatcherConfig, DynamicConfigValue, VariableModel } = schema.definitions
  if (MatcherConfig?.properties !== undefined) MatcherConfig.properties['options'] = {}
  if (DynamicConfigValue?.properties !== undefined) DynamicConfigValue.properties['value'] = {}
  if (VariableModel?.properties !== undefined) VariableModel.properties['query'] = {}
  return schema
}

/** Panels whose options have a schema of their own: all but those that have none. */
const SCHEMAS: Readonly<Record<string, string>> = {
  timeseries: 'timeseries',
  stat: 'stat',
  table: 'table',
  barchart: 'barchart',
  bargauge: 'bargauge',
  gauge: 'gauge',
  heatmap: 'heatmap',
  histogram: 'histogram',
  'state-timeline': 'statetimeline',
  'status-history': 'statushistory',
  piechart: 'piechart',
  text: 'text',
}
const WITHOUT_OPTIONS = new Set(['traces', 'row'])

describe('Grafana', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false })
  const isDashboard = ajv.compile(dashboardSchema())

  test.each(named)('takes %s, by its schema', (_, dashboard) => {
    isDashboard(dashboard)
    expect(isDashboard.errors ?? []).toEqual([])
  })

  test('would not take a dashboard with a member that it does not know', () => {
    expect(isDashboard({ ...dashboards[0], colour: 'blue' })).toBe(false)
  })

  const validators = new Map(
    Object.entries(SCHEMAS).map(([type, name]) => {
      const { definitions } = readSchema(name)
      const part = (definition: string) =>
        definition in definitions
          ? ajv.compile({ $ref: `#/definitions/${definition}`, definitions })
          : undefined
      return [type, { options: part('Options'), custom: part('FieldConfig') }]
    }),
  )

  test.each(named)('takes the options of every panel of %s', (_, dashboard) => {
    const wrong = panelsOf(dashboard)
      .filter(({ type }) => !WITHOUT_OPTIONS.has(type))
      .flatMap(({ title, type, options, fieldConfig }) => {
        const validator = validators.get(type)
        if (validator === undefined) return [`${title}: there is no schema for ${type}`]
        validator.options?.(options)
        validator.custom?.(fieldConfig?.defaults.custom ?? {})
        const errors = [validator.options?.errors ?? [], validator.custom?.errors ?? []].flat()
        return errors.map((error) => `${title}: ${JSON.stringify(error)}`)
      })
    expect(wrong).toEqual([])
  })
})

describe('A person', () => {
  test.each(named)('reads on every panel of %s what it shows and in what unit', (_, dashboard) => {
    const panels = panelsOf(dashboard)
    const untold = panels.filter(
      ({ title = '', description = '' }) => title === '' || !/^\S.{15,}\.$/.test(description),
    )
    expect(untold.map(({ title }) => title)).toEqual([])
    const unitless = panels.filter(
      ({ type, fieldConfig }) =>
        type !== 'text' && type !== 'traces' && !fieldConfig?.defaults.unit,
    )
    expect(unitless.map(({ title }) => title)).toEqual([])
  })

  test.each(named)('sees little of %s at once: the rest is collapsed', (_, dashboard) => {
    const rows = dashboard.panels.filter(isRow)
    const big = dashboard.panels.filter(
      (panel) => !isRow(panel) && panel.type !== 'stat' && panel.type !== 'gauge',
    )
    expect(big.length).toBeLessThanOrEqual(4)
    expect(rows.every(({ collapsed }) => collapsed === true)).toBe(true)
  })

  test('sees three graphs and the health first, fresh every five seconds', () => {
    const overview = byUid.get('spanmeter-overview')
    const types = overview?.panels.filter((panel) => !isRow(panel)).map(({ type }) => type) ?? []
    expect(types.slice(0, 3)).toEqual(['timeseries', 'timeseries', 'timeseries'])
    expect(new Set(types.slice(3))).toEqual(new Set(['stat']))
    expect(overview?.refresh).toBe('5s')
  })
})

describe('Panels', () => {
  test.each(named)('of %s have ids of their own and the one data source', (_, dashboard) => {
    const ids = [
      ...dashboard.panels,
      ...panelsOf(dashboard).filter((p) => !dashboard.panels.includes(p)),
    ].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const sources = panelsOf(dashboard)
      .filter(({ type }) => type !== 'text')
      .map(({ targets = [] }) => targets.map(({ datasource }) => datasource.uid))
    expect(sources.every((uids) => uids.length > 0)).toBe(true)
    expect(new Set(sources.flat())).toEqual(new Set([DATA_SOURCE.uid]))
  })

  test.each(named)('of %s lie side by side on a grid of 24', (_, { panels }) => {
    const groups = [panels, ...panels.filter(isRow).map((row) => row.panels ?? [])]
    for (const group of groups) {
      const places = group.map(({ gridPos }) => gridPos ?? { x: 0, y: 0, w: 25, h: 1 })
      expect(places.every(({ x, w }) => x + w <= 24)).toBe(true)
      const taken = places.flatMap(cells)
      expect(new Set(taken).size).toBe(taken.length)
    }
  })
})

function cells({ x, y, w, h }: { x: number; y: number; w: number; h: number }): readonly string[] {
  return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`)
}

/** SQL of a dashboard with where it stands. */
function queries(dashboard: Dashboard): readonly (readonly [string, string])[] {
  return [
    ...panelsOf(dashboard).flatMap(({ title = '', targets = [] }) =>
      targets.map(({ rawSql }) => [title, rawSql] as const),
    ),
    ...dashboard.annotations.list.map(({ target }) => ['annotations', target.rawSql] as const),
  ]
}

/** What is known everywhere: of Grafana, and of the ClickHouse plugin. */
const BUILT_IN = /^__/
/** Panels that show what single spans tell, which no rollup has. */
const SHOW_SPANS = new Set([
  'Slowest calls',
  'Messages',
  'Clock skew',
  'Clock skew by service',
  // A score that came without its cohort has it from its span.
  'By user tier',
  'By domain',
])

/** Titles of panels whose SQL has what it must not have. */
const offenders = (dashboard: Dashboard, pattern: RegExp) =>
  queries(dashboard).flatMap(([title, sql]) => (pattern.test(sql) ? [title] : []))

describe('SQL', () => {
  test.each(named)('of %s names variables that it has, and every one somewhere', (_, dashboard) => {
    const known = variablesOf(dashboard)
    const used = queries(dashboard).flatMap(([, sql]) =>
      [...sql.matchAll(/\$\{(\w+)[^}]*\}|\$(\w+)/g)]
        .map(([, braced, plain]) => braced ?? plain ?? '')
        .filter((name) => !BUILT_IN.test(name)),
    )
    expect(used.filter((name) => !known.includes(name))).toEqual([])
    expect(known.filter((name) => !used.includes(name))).toEqual([])
  })

  test.each(named)('of %s has all fragments filled in, no database, no FINAL', (_, dashboard) => {
    expect(offenders(dashboard, /@\w|\bFINAL\b|\bspanmeter\.|\bdefault\./)).toEqual([])
  })

  test.each(named.filter(([uid]) => uid !== 'spanmeter-traces'))(
    'of %s reads rollups, not spans',
    (_, dashboard) => {
      const found = offenders(dashboard, /\b(?:FROM|JOIN)\s+(?:spans|span_content)\b/)
      expect(found.filter((title) => !SHOW_SPANS.has(title))).toEqual([])
    },
  )
})

/** Addresses of dashboards anywhere in a dashboard. */
function urlsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.startsWith('/d/') ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(urlsIn)
}

/** The dashboards that a dashboard links to. */
const targets = (uid: string) => urlsIn(byUid.get(uid)).map((url) => url.split('?')[0])

/** Whether an address leads to a dashboard that has each of the variables it sets. */
function missingIn(url: string): readonly string[] {
  const { pathname, searchParams } = new URL(url.replaceAll(/\$\{[^}]*\}/g, 'x'), 'http://grafana')
  const target = byUid.get(pathname.split('/')[2] ?? '')
  if (target === undefined) return [`${pathname} is no dashboard`]
  const given = [...searchParams.keys()].filter((key) => key.startsWith('var-'))
  const known = variablesOf(target)
  return given
    .map((key) => key.replace('var-', ''))
    .filter((name) => !known.includes(name))
    .map((name) => `${target.uid} has no variable ${name}`)
}

describe('Links', () => {
  test.each(named)('of %s lead to dashboards, with variables that those have', (_, dashboard) => {
    expect(urlsIn(dashboard).flatMap(missingIn)).toEqual([])
  })

  test.each(named)('of %s carry variables that it has', (_, dashboard) => {
    const known = variablesOf(dashboard)
    const carried = urlsIn(dashboard).flatMap((url) =>
      [...url.matchAll(/\$\{(\w+)(?::\w+)?\}/g)].map(([, name = '']) => name),
    )
    expect(carried.filter((name) => !BUILT_IN.test(name) && !known.includes(name))).toEqual([])
  })

  test('lead from graphs to traces, and from a trace to its alerts', () => {
    expect(targets('spanmeter-overview')).toContain('/d/spanmeter-traces')
    expect(targets('spanmeter-latency')).toContain('/d/spanmeter-traces')
    expect(targets('spanmeter-errors')).toContain('/d/spanmeter-traces')
    expect(targets('spanmeter-traces')).toContain('/d/spanmeter-alerts')
    expect(targets('spanmeter-alerts')).toContain('/d/spanmeter-traces')
  })

  const rules = parseRuleFiles(
    shippedRuleFiles().map((file) => ({ file, text: readFileSync(file, 'utf8') })),
  ).rules

  test.each(rules.map((rule) => [rule.name, rule.link] as const))(
    'of alerts by the rule %s show the group that fires',
    (_, link) => {
      const url = link.replace('{{grafana}}', '').replaceAll(/\{\{\w+\}\}/g, 'x')
      expect(url).toMatch(/^\/d\/spanmeter-/)
      expect(missingIn(url)).toEqual([])
    },
  )
})
