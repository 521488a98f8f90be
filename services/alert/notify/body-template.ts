import mustache from 'mustache'
import { messageOf } from '#runtime/errors.ts'

/**
 * Fills a mustache template with an alert. What is put in is escaped for a place between the quotes
 * of a JSON string; `{{{json.labels}}}` puts a value in as JSON of its own.
 */
export function renderTemplate(template: string, view: Readonly<Record<string, unknown>>): string {
  return mustache.render(template, withJson(view), {}, { escape })
}

function escape(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return JSON.stringify(text).slice(1, -1)
}

/** `json.value` is any value as JSON, quotes included; `json.alert` is the whole. */
function withJson(view: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const parts = Object.entries(view).map(([name, value]) => [name, JSON.stringify(value)])
  return { ...view, json: { ...Object.fromEntries(parts), alert: JSON.stringify(view) } }
}

/** Why a template makes no JSON, tried with the alerts of `views`; undefined where it does. */
export function templateError(
  template: string,
  views: readonly Readonly<Record<string, unknown>>[],
): string | undefined {
  try {
    for (const view of views) JSON.parse(renderTemplate(template, view))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
