import {
  DashboardLinkBuilder,
  DashboardLinkType,
  MappingType,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { linksOf } from './links.ts'

/** What overrides say of columns of tables. */

/** The colours of severities of alerts. */
export const SEVERITIES = { critical: 'red', warning: 'orange', info: 'blue' }

/** Texts each in its colour; other texts stay as they are. */
export function inColors(colors: Readonly<Record<string, string>>) {
  const options = Object.fromEntries(
    Object.entries(colors).map(([text, color], index) => [text, { text, color, index }]),
  )
  return [
    { id: 'mappings', value: [{ type: MappingType.ValueToText, options }] },
    { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
  ]
}

/** As wide as that many pixels. */
export function wide(pixels: number) {
  return [{ id: 'custom.width', value: pixels }]
}

/** Values that are whole addresses: a short text that opens them. */
export function opened(text: string) {
  const link = new DashboardLinkBuilder(text).type(DashboardLinkType.Link).url('${__value.raw}')
  return [
    {
      id: 'mappings',
      value: [
        { type: MappingType.RegexToText, options: { pattern: '.+', result: { text, index: 0 } } },
      ],
    },
    linksOf(link),
  ]
}
