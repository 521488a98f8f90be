/** What a user can mend: the message says what was wrong, where, and what to do. Shown without a stack. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
}
