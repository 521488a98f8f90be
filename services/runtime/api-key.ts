import { createHash, randomBytes } from 'node:crypto'

/** A key that was just made: nobody can read it out of its hash again. */
export interface NewApiKey {
  /** Names the key in the file and in logs; it is no secret. */
  readonly id: string
  readonly key: string
  readonly hash: string
}

const ID_BYTES = 6
const SECRET_BYTES = 32
/** An id has no underscore, so that it ends where the secret begins. */
const ID = '[0-9A-Za-z]{1,32}'
const KEY = new RegExp(`^sm_(${ID})_[\\w-]{43}$`)

/** What an id of a key looks like. */
export const API_KEY_ID = new RegExp(`^${ID}$`)

/** Makes a key, sm_<id>_<256 random bits in base64url>. */
export function createApiKey(): NewApiKey {
  const id = randomBytes(ID_BYTES).toString('hex')
  const key = `sm_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`
  return { id, key, hash: hashApiKey(key).toString('hex') }
}

/** The id that stands in a key; undefined for what is no key. */
export function apiKeyIdOf(key: string): string | undefined {
  return KEY.exec(key)?.[1]
}

/**
 * SHA-256 of a key. A plain hash is enough: a password needs a slow one because it can be guessed, and
 * 256 random bits cannot.
 */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
