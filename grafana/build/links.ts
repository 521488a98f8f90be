import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard'

/** The tag by which the dashboards find one another. */
export const TAG = 'spanmeter'

/** Half an hour around a point is enough to find the traces behind it. */
const WINDOW_MS = 1_800_000

/** Dashboards, by the address that alerts and other dashboards know them by. */
export type DashboardName =
  | 'overview'
  | 'latency'
  | 'cost'
  | 'quality'
  | 'errors'
  | 'traces'
  | 'alerts'
  | 'pipeline'

/** Variables that go along from one dashboard to another, as they are chosen. */
const CHOSEN = ['tenant', 'environment', 'model', 'feature'] as const

export interface LinkOptions {
  readonly to: DashboardName
  /** Of a point on a graph: the time around it. Else the range that is shown. */
  readonly around?: 'point'
  /** Values of variables there; what is chosen here goes along for the others. Grafana's `${…}` are filled in. */
  readonly variables?: Readonly<Record<string, string>>
}

/** The address of a dashboard, with time and variables. */
export function dashboardUrl({ to, around, variables = {} }: LinkOptions): string {
  const time =
    around === 'point'
      ? `time=\${__value.time}&time.window=${WINDOW_MS}`
      : 'from=${__from}&to=${__to}'
  const chosen = CHOSEN.filter((name) => !(name in variables)).map(
    (name) => `\${${name}:queryparam}`,
  )
  const given = Object.entries(variables).map(([name, value]) => `var-${name}=${value}`)
  return `/d/spanmeter-${to}?${[time, ...given, ...chosen].join('&')}`
}

/** A link that a person follows from a value, a cell or a panel. */
export function linkTo(title: string, options: LinkOptions): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(dashboardUrl(options))
}

/** From a point on a graph to the traces around it. */
export function tracesBehind(
  variables: Readonly<Record<string, string>> = {},
): DashboardLinkBuilder {
  return linkTo('Traces around this point', { to: 'traces', around: 'point', variables })
}

/** From a cell that holds a trace id to the trace. */
export function openTrace(field = '${__value.raw}'): DashboardLinkBuilder {
  return linkTo('Open the trace', { to: 'traces', variables: { trace: field } })
}

/** The links of a column of a table, as an override has them. */
export function linksOf(...links: readonly DashboardLinkBuilder[]) {
  return { id: 'links', value: links.map((link) => link.build()) }
}
