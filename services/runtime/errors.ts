/** What was thrown, as one line for a person. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** A class of errors, whatever they are made of. */
type ErrorClass = abstract new (...args: never[]) => Error

/** What ended a command: the message where it is of a class that tells all, else the stack, as it is a bug. */
export function describeError(thrown: unknown, plain: readonly ErrorClass[]): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const isPlain = plain.some((type) => thrown instanceof type)
  return isPlain ? thrown.message : (thrown.stack ?? thrown.message)
}
