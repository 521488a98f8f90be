/** Thrown once for all bad variables together, so that a user mends them in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
