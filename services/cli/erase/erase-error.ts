/** The erasure cannot be done, for a reason that the message says. */
export class EraseError extends Error {
  override readonly name = 'EraseError'
}
