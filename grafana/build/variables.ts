import {
  type CustomVariableBuilder,
  CustomVariableBuilder as CustomVariable,
  type QueryVariableBuilder,
  QueryVariableBuilder as QueryVariable,
  type TextBoxVariableBuilder,
  TextBoxVariableBuilder as TextBoxVariable,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DATA_SOURCE, readSql } from './query.ts'

/** What Grafana calls the choice of every value. */
const ALL = { selected: true, text: 'All', value: '$__all' }

/**
 * A list of names to choose from, All of them at first, asked with grafana/queries/variables/<name>.sql
 * whenever the range of time changes. Panels filter by it with
 * `$__conditionalAll(<column> IN (${<name>:singlequote}), $<name>)`. Where dashboards ask for the same
 * in different ways, `query` names the file.
 */
export function choice(
  name: string,
  label: string,
  description: string,
  query = name,
): QueryVariableBuilder {
  const rawSql = readSql(`variables/${query}`)
  return new QueryVariable(name)
    .label(label)
    .description(description)
    .datasource(DATA_SOURCE)
    .query({ editorType: 'sql', rawSql, refId: `variable-${name}` })
    .definition(rawSql)
    .multi(true)
    .includeAll(true)
    .current(ALL)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
}

/** A text that a person types or a link fills in; panels read it as `${<name>:sqlstring}`. */
export function input(
  name: string,
  label: string,
  description: string,
  first = '',
): TextBoxVariableBuilder {
  return new TextBoxVariable(name)
    .label(label)
    .description(description)
    .defaultValue(first)
    .current({ selected: true, text: first, value: first })
}

/** The variables that every dashboard has, in the order of a funnel. */
export const commonChoices = [
  ['tenant', 'Tenant', 'Whose calls; All includes those that name no tenant.'],
  ['environment', 'Environment', 'Such as production or staging.'],
  ['model', 'Model', 'The model that was asked for, else the one that answered.'],
  ['feature', 'Feature', 'The part of a product that made the call.'],
] as const

/** A choice of one of these values, by their texts; the first of them at first. */
export function oneOf(
  name: string,
  label: string,
  description: string,
  texts: Readonly<Record<string, string>>,
): CustomVariableBuilder {
  const [[value, text] = ['', '']] = Object.entries(texts)
  return new CustomVariable(name)
    .label(label)
    .description(description)
    .values(
      Object.entries(texts)
        .map((one) => one.toReversed().join(' : '))
        .join(','),
    )
    .current({ selected: true, text, value })
}

/**
 * What graphs are split by: the name of one of these columns, the first of them at first. Panels read it
 * with `@split(<table>: <columns>)`, and name a series by its label `split`.
 */
export function splitBy(columns: readonly string[]): CustomVariableBuilder {
  const texts = Object.fromEntries(columns.map((column) => [column, column.replace('_', ' ')]))
  return oneOf('split', 'Split by', 'What graphs that say so have a line for.', texts)
}
