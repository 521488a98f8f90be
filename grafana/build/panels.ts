import { PanelBuilder as BarChart } from '@grafana/grafana-foundation-sdk/barchart'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphGradientMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common'
import {
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  CellValuesBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as Heatmap,
  RowsHeatmapOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries'
import { clickhouseQuery, DATA_SOURCE, type Shape } from './query.ts'

/** What every panel says of itself. */
export interface PanelOptions {
  readonly title: string
  /** One sentence: what is shown, and what it is computed from. */
  readonly description: string
  /** The query, by its path under grafana/queries. */
  readonly query: string
  /** The column that the query is by, where panels share it. */
  readonly by?: string
  /** Grafana's id of the unit. */
  readonly unit: string
  /** Of the grid, whose width is 24. */
  readonly width: number
  readonly height: number
}

/** Rollups hold a minute at the least: a finer step would leave holes in a graph. */
const MIN_INTERVAL = '1m'
/** As many points as an eye tells apart; each costs a merge of sketches. */
const MAX_POINTS = 240
/** Cells are broader than points. */
const MAX_CELLS = 120

/** Lines over time, a legend below with the figures of each. */
export function graph(options: PanelOptions): TimeSeries {
  return withQuery(new TimeSeries(), options, 'time_series')
    .interval(MIN_INTERVAL)
    .maxDataPoints(MAX_POINTS)
    .lineWidth(2)
    .fillOpacity(8)
    .gradientMode(GraphGradientMode.Opacity)
    .showPoints(VisibilityMode.Never)
    .min(0)
    .legend(legend(['lastNotNull', 'max']))
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
}

export function legend(figures: readonly string[]): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .calcs([...figures])
}

/** One figure, coloured by its thresholds: the last value of the query's one number. */
export function stat(options: PanelOptions): Stat {
  return withQuery(new Stat(), options, 'table')
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.None)
    .noValue('no data')
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
}

/** Rows as the query gives them. */
export function table(options: PanelOptions): Table {
  return withQuery(new Table(), options, 'table').filterable(true)
}

/** A bar to a row of the query, whose first column names it. */
export function bars(options: PanelOptions): BarChart {
  return withQuery(new BarChart(), options, 'table').legend(legend([]).showLegend(false))
}

/**
 * A row of cells over time to a series of the query, which counts: the more, the stronger the colour.
 * Series named by numbers are in their order; a number is the lower bound of its row.
 */
export function heatmap(options: PanelOptions): Heatmap {
  return withQuery(new Heatmap(), options, 'time_series')
    .interval(MIN_INTERVAL)
    .maxDataPoints(MAX_CELLS)
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Blues').steps(64))
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Ge))
    .cellGap(1)
    .showLegend()
}

/** The same of names and grades: red is the worst grade, green the best. */
export function gradeHeatmap(options: PanelOptions, worst: number, best: number): Heatmap {
  const colors = new HeatmapColorOptionsBuilder()
    .mode(HeatmapColorMode.Scheme)
    .scheme('RdYlGn')
    // Grafana turns this scheme upside down, unless it is told to.
    .reverse(true)
    .steps(64)
    .min(worst)
    .max(best)
  return heatmap(options)
    .color(colors)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Unknown))
    .cellValues(new CellValuesBuilder().unit(options.unit))
}

/** What the builders of all kinds of panels have in common. */
interface AnyPanel {
  title(title: string): this
  description(description: string): this
  unit(unit: string): this
  span(width: number): this
  height(height: number): this
  datasource(ref: typeof DATA_SOURCE): this
  withTarget(target: ReturnType<typeof clickhouseQuery>): this
}

/** Gives a panel of whatever kind its texts, place and query. */
export function withQuery<P extends AnyPanel>(panel: P, options: PanelOptions, shape: Shape): P {
  return panel
    .title(options.title)
    .description(options.description)
    .unit(options.unit)
    .span(options.width)
    .height(options.height)
    .datasource(DATA_SOURCE)
    .withTarget(clickhouseQuery(options.query, shape, options))
}

/** Green below the first figure, then each colour from its figure on. */
export function thresholds(
  ...steps: readonly (readonly [number, string])[]
): Builder<ThresholdsOf> {
  return stepsOf('green', steps)
}

/** Red below the first figure: for what is the better the higher it is. */
export function floors(...steps: readonly (readonly [number, string])[]): Builder<ThresholdsOf> {
  return stepsOf('red', steps)
}

/** No judgement: for figures that are neither good nor bad. */
export function neutral(): Builder<ThresholdsOf> {
  return stepsOf('blue', [])
}

/** A field judged by thresholds of its own, as an override has it. */
export function judged(by: Builder<ThresholdsOf>) {
  return { id: 'thresholds', value: by.build() }
}

/** A series that is always of that colour, as an override has it. */
export function painted(fixedColor: string) {
  return { id: 'color', value: { mode: 'fixed', fixedColor } }
}

/** The cells of a column coloured by its thresholds, as an override has it. */
export function colored(by: Builder<ThresholdsOf>) {
  return [
    judged(by),
    { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
  ]
}

/** Thresholds drawn as dashed lines across a graph. */
export function dashed(): GraphThresholdsStyleConfigBuilder {
  return new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed)
}

type ThresholdsOf = ReturnType<ThresholdsConfigBuilder['build']>

function stepsOf(
  base: string,
  steps: readonly (readonly [number, string])[],
): ThresholdsConfigBuilder {
  const all: Threshold[] = [
    { value: null, color: base },
    ...steps.map(([value, color]) => ({ value, color })),
  ]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all)
}
