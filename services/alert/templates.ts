import mustache from 'mustache'

/** What templates may name beside the dimensions of their rule. */
export const TEMPLATE_VARIABLES = [
  ...(['value', 'threshold', 'baseline', 'count', 'rule', 'level', 'severity'] as const),
  ...(['from', 'to', 'grafana'] as const),
] as const

/** What a template names, as texts. */
export type Variables = ReadonlyMap<string, string>

/**
 * Fills a mustache template. Nothing is escaped, as no HTML is made; what is not known is empty.
 * Names are taken as they stand, so that a dimension may have dots: `attributes.customer.id`.
 * Throws for what is no template: rule files are looked at before.
 */
export function renderTemplate(template: string, variables: Variables): string {
  const context: InstanceType<typeof mustache.Context> = Object.assign(new mustache.Context({}), {
    lookup: (name: string) => variables.get(name),
    // Within {{#name}} … {{/name}} the same names are known.
    push: () => context,
  })
  return mustache.render(template, context, {}, { escape: String })
}
