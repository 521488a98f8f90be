import { type Dialects, loadDialects } from './dialects.ts'
import { type ErrorTypes, loadErrorTypes } from './error-types.ts'
import { loadProviderNames, type ProviderNames } from './provider-names.ts'

/** What attributes, names of providers and errors mean. */
export interface Conventions {
  readonly dialects: Dialects
  readonly providers: ProviderNames
  readonly errors: ErrorTypes
}

/**
 * Reads the conventions that ship, and the dialect files in a folder of the user's own. Throws an
 * Error that names the file and the place.
 */
export function loadConventions(ownDialects?: string): Conventions {
  return {
    dialects: loadDialects(ownDialects),
    providers: loadProviderNames(),
    errors: loadErrorTypes(),
  }
}
