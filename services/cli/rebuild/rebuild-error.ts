/** What a user can mend, or must know: the message says what was wrong and what to do. Shown without a stack. */
export class RebuildError extends Error {
  override readonly name = 'RebuildError'
}
