import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  RowBuilder,
  type RowPanel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { type DashboardName, TAG } from './links.ts'
import { clickhouseQuery, DATA_SOURCE } from './query.ts'
import { choice, commonChoices } from './variables.ts'

export interface DashboardOptions {
  readonly name: DashboardName
  readonly title: string
  readonly description: string
  /** The range that is shown at first, from now back. */
  readonly from: string
  readonly refresh: string
  /** Beside those that all dashboards have. */
  readonly variables?: readonly Builder<VariableModel>[]
  /** Always in sight. */
  readonly top: readonly Builder<Panel>[]
  /** Below, under titles; collapsed, so that their queries run when somebody looks. */
  readonly rows?: readonly Row[]
}
export interface Row {
  readonly title: string
  readonly panels: readonly Builder<Panel>[]
}

/** A dashboard with the variables, annotations and links that all have, and an id for each panel. */
export function dashboard(options: DashboardOptions): Dashboard {
  const builder = new DashboardBuilder(options.title)
    .uid(`spanmeter-${options.name}`)
    .description(options.description)
    .tags([TAG])
    .editable()
    .timezone('browser')
    .time({ from: options.from, to: 'now' })
    .refresh(options.refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([
      ...commonChoices.map(([name, label, text]) => choice(name, label, text)),
      ...(options.variables ?? []),
    ])
    .annotations(annotations())
    .link(
      new DashboardLinkBuilder('Spanmeter')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
  for (const panel of options.top) builder.withPanel(panel)
  for (const row of options.rows ?? []) builder.withRow(collapsed(row))
  return withIds(builder.build())
}

function collapsed({ title, panels }: Row): RowBuilder {
  const row = new RowBuilder(title).collapsed(true)
  for (const panel of panels) row.withPanel(panel)
  return row
}

/** What happened meanwhile, drawn over every graph. */
function annotations(): AnnotationQueryBuilder[] {
  const kinds = [
    ['Alerts', 'alerts', 'red'],
    ['Deploys, configuration and incidents', 'events', 'blue'],
  ] as const
  return kinds.map(([title, query, color]) =>
    new AnnotationQueryBuilder()
      .name(title)
      .datasource(DATA_SOURCE)
      .enable(true)
      .iconColor(color)
      .target(clickhouseQuery(`annotations/${query}`, 'table', { refId: 'Anno' })),
  )
}

/** Grafana tells panels apart by a number, the same at each making. */
function withIds(built: Dashboard): Dashboard {
  let last = 0
  const numbered = <P extends Panel | RowPanel>(panel: P): P => ({ ...panel, id: ++last })
  const panels = (built.panels ?? []).map((panel) =>
    'panels' in panel
      ? { ...numbered(panel), panels: panel.panels.map(numbered) }
      : numbered(panel),
  )
  return { ...built, panels }
}
