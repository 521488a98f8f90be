/** What stands where a secret stood. */
const HIDDEN = '***'
/** Shorter texts stand everywhere, and are no secrets. */
const MIN_SECRET = 4

/** Makes a function that takes secrets out of a text, however a URL or JSON would spell them. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.flatMap((secret) =>
    secret.length < MIN_SECRET
      ? []
      : [
          secret,
          encodeURIComponent(secret),
          encodeURI(secret),
          JSON.stringify(secret).slice(1, -1),
        ],
  )
  // The longest first: a secret may hold another.
  const sorted = [...new Set(spellings)].toSorted((a, b) => b.length - a.length)
  return (text) => sorted.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
}
