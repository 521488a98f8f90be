import type { MatchLogic } from '@pydantic/genai-prices'
import { isVersionSuffix } from './version-suffix.ts'

/** A place or a vendor before a model's name: us.anthropic.claude-…, publishers/google/models/…. */
const PLACE = /^(?:.*\/)?(?:[a-z0-9-]+\.){0,2}$/i
/** The list leaves the end of some dates open: claude-sonnet-4-2025, gpt-5-nano-, claude-opus-5@. */
const OPEN_END = /(?:-(?:20\d{0,2}-?|0)?|@)$/
/** How the list writes a pattern for whole names; one that looks ahead only keeps others out. */
const WHOLE_NAME = /^\^(?!\(\?).*\$$/
const COMPACT_DATE = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[-:]|$)/g
const FINE_TUNED = /^ft:|\.ft-/i
const FINE_TUNE_NAME = /^[^/]*$/

/**
 * Whether the price list means just this model. It matches by the beginnings and the parts of names
 * too, so that claude-sonnet-5-5 finds the prices of claude-sonnet-5: the list names a model where
 * what it looks for is the whole id, but for a place before it and a version behind.
 */
export function isNamedByList(match: MatchLogic, id: string): boolean {
  const name = id.trim().toLowerCase()
  return (
    isNamed(match, name) ||
    // genai-prices itself tries claude-3-opus-20240229 as claude-3-opus-2024-02-29.
    isNamed(match, name.replace(COMPACT_DATE, '-$1-$2-$3'))
  )
}

function isNamed(match: MatchLogic, name: string): boolean {
  if ('or' in match) return match.or.some((part) => isNamed(part, name))
  if ('and' in match) {
    return (
      match.and.some((part) => isNamed(part, name)) &&
      match.and.every((part) => !('regex' in part) || new RegExp(part.regex).test(name))
    )
  }
  if ('equals' in match) return name === match.equals.toLowerCase()
  if ('starts_with' in match) return startsAs(name, match.starts_with.toLowerCase())
  if ('ends_with' in match) {
    const end = match.ends_with.toLowerCase()
    return name.endsWith(end) && PLACE.test(name.slice(0, -end.length))
  }
  if ('contains' in match) {
    const at = name.indexOf(match.contains.toLowerCase())
    return at >= 0 && PLACE.test(name.slice(0, at)) && startsAs(name.slice(at), match.contains)
  }
  return WHOLE_NAME.test(match.regex) && new RegExp(match.regex).test(name)
}

function startsAs(name: string, start: string): boolean {
  const beginning = start.toLowerCase()
  if (!name.startsWith(beginning)) return false
  const rest = name.slice(beginning.length)
  // Whose a fine-tuned model is changes no price.
  if (FINE_TUNED.test(beginning)) return FINE_TUNE_NAME.test(rest)
  return (
    isVersionSuffix(rest) || isVersionSuffix(name.slice(beginning.replace(OPEN_END, '').length))
  )
}
