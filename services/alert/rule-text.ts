import mustache from 'mustache'
import { messageOf } from '#runtime/errors.ts'
import type { Counted } from './rule-measure.ts'
import type { Place } from './rule-place.ts'
import type { RuleData } from './rule-shape.ts'
import { TEMPLATE_VARIABLES } from './templates.ts'

/** The texts of a rule; those that are not given say the rule's name, its group and its value. */
export interface RuleTexts {
  readonly summary: string
  readonly annotations: Readonly<Record<string, string>>
  readonly link: string
}

export function readTexts(data: RuleData, counted: Counted | undefined, place: Place): RuleTexts {
  const { by, annotations } = data
  const texts = {
    summary: data.summary ?? defaultSummary(by),
    annotations,
    link:
      data.link ?? `{{grafana}}/d/${dashboardOf(counted)}?from={{from}}&to={{to}}${filters(by)}`,
  }
  const known = [...TEMPLATE_VARIABLES, ...by]
  requireVariables(texts.summary, known, place.at('summary'))
  requireVariables(texts.link, known, place.at('link'))
  for (const [name, text] of Object.entries(annotations)) {
    requireVariables(text, known, place.at('annotations', name))
  }
  return texts
}

function defaultSummary(by: readonly string[]): string {
  const group = by.map((dimension) => `${dimension} {{${dimension}}}`).join(', ')
  const place = group === '' ? '' : ` of ${group}`
  return `{{rule}}${place}: {{value}} (limit {{threshold}})`
}

/** A dashboard has a variable for each dimension that is a name of its own. */
function filters(by: readonly string[]): string {
  const names = by.filter((dimension) => /^\w+$/.test(dimension))
  return names.map((name) => `&var-${name}={{${name}}}`).join('')
}

/** The dashboard that shows what is measured. */
function dashboardOf(counted: Counted | undefined): string {
  switch (counted?.source) {
    case 'evaluations':
      return 'spanmeter-quality'
    case 'dead_letters':
    case 'system':
      return 'spanmeter-pipeline'
    default:
      return dashboardOfSpans(counted)
  }
}

function dashboardOfSpans(counted: Counted | undefined): string {
  switch (counted?.value) {
    case 'cost':
    case 'tokens':
    case 'input_tokens':
    case 'output_tokens':
      return 'spanmeter-cost'
    case 'duration':
    case 'ttft':
      return 'spanmeter-latency'
    case 'skew':
      return 'spanmeter-pipeline'
    default:
      return counted?.read.type === 'rate' ? 'spanmeter-errors' : 'spanmeter-overview'
  }
}

function requireVariables(template: string, known: readonly string[], place: Place): void {
  try {
    for (const name of namesIn(mustache.parse(template))) {
      if (known.includes(name)) continue
      place.refuse(`nothing is known of {{${name}}} here; known are ${known.join(', ')}`)
    }
  } catch (error) {
    place.refuse(`is no template: ${messageOf(error)}`)
  }
}

/** Names of variables and sections; partials and other delimiters are named with their signs. */
function namesIn(spans: ReturnType<typeof mustache.parse>): readonly string[] {
  return spans.flatMap(([type, name, , , inner]) => {
    if (type === 'text' || type === '!') return []
    if (type === '>' || type === '=') return [`${type}${name}`]
    return [name, ...(Array.isArray(inner) ? namesIn(inner) : [])]
  })
}
