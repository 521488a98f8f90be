import {
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
 * `$__conditionalAll(<column> IN (${<name>:singlequote}), $<name>)`.
 */
export function choice(name: string, label: string, description: string): QueryVariableBuilder {
  const rawSql = readSql(`variables/${name}`)
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
export function input(name: string, label: string, description: string): TextBoxVariableBuilder {
  return new TextBoxVariable(name)
    .label(label)
    .description(description)
    .defaultValue('')
    .current({ selected: true, text: '', value: '' })
}

/** The variables that every dashboard has, in the order of a funnel. */
export const commonChoices = [
  ['tenant', 'Tenant', 'Whose calls; All includes those that name no tenant.'],
  ['environment', 'Environment', 'Such as production or staging.'],
  ['model', 'Model', 'The model that was asked for, else the one that answered.'],
  ['feature', 'Feature', 'The part of a product that made the call.'],
] as const
