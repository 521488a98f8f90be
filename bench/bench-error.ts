/** The benchmark could not be run as asked; the message tells a person all. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
}
