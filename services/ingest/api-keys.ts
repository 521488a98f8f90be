import { timingSafeEqual } from 'node:crypto'
import { apiKeyIdOf, hashApiKey } from '#runtime/api-key.ts'
import type { ApiKeyEntry, ApiKeysFile, Scope, SenderLimits } from '#runtime/api-keys-file.ts'
import type { Sender } from './accept.ts'
import { type Limited, RATE_LIMITED, type TenantLimits } from './tenant-limits.ts'

/** Why nothing is taken of a sender. Of low cardinality: it becomes a label of a metric. */
export type RefusalReason =
  | 'no_key'
  | 'unknown_key'
  | 'expired_key'
  | 'wrong_scope'
  | 'rate_limited'
  | 'overloaded'

/** Whether a request may come in, as its head says; nothing of its body has been read. */
export type Admission =
  | {
      readonly type: 'admitted'
      readonly sender: Sender
      /** Undefined: no other limit than that of all requests. */
      readonly maxRequestBytes: number | undefined
    }
  | {
      readonly type: 'refused'
      readonly reason: RefusalReason
      readonly message: string
      readonly retryAfterMs?: number
    }

/** Asked by the receivers before they read a body; `key` is what the client sent, undefined for none. */
export type Admit = (key: string | undefined, scope: Scope) => Admission

/** The keys of a file, which may be read again. */
export interface ApiKeys {
  readonly admit: Admit
  readonly replace: (file: ApiKeysFile) => void
}

/** What is known of a key between requests. */
interface KnownKey {
  readonly entry: ApiKeyEntry
  readonly hash: Buffer
  readonly admission: Extract<Admission, { type: 'admitted' }>
}

const NOBODY: Admission = {
  type: 'admitted',
  sender: { tenant: undefined },
  maxRequestBytes: undefined,
}
/** Compared with where there is no such key, so that it takes as long. */
const NO_HASH = Buffer.alloc(32)

/** Lets everybody in, as it is where no keys are configured. */
export const admitAll: Admit = () => NOBODY

/** Makes the gate of a file; `now` is the time of day in milliseconds, by which keys expire. */
export function createApiKeys(
  file: ApiKeysFile,
  { limits, now }: { readonly limits: TenantLimits; readonly now: () => number },
): ApiKeys {
  let known = know(file, limits)
  return {
    admit(key, scope) {
      if (key === undefined) {
        return refused('no_key', 'Send an API key, as "Authorization: Bearer …" or as x-api-key')
      }
      const found = known.get(apiKeyIdOf(key) ?? '')
      const isRight = timingSafeEqual(hashApiKey(key), found?.hash ?? NO_HASH)
      if (found === undefined || !isRight) return refused('unknown_key', 'The API key is not valid')
      const { entry, admission } = found
      if (entry.expires !== undefined && now() >= entry.expires) {
        return refused('expired_key', `The API key ${entry.id} has expired`)
      }
      if (!entry.scopes.includes(scope)) {
        return refused('wrong_scope', `The API key ${entry.id} is not for ${scope}`)
      }
      const retryAfterMs = admission.sender.meter?.waitMs() ?? 0
      if (retryAfterMs === 0) return admission
      return { ...refused('rate_limited', RATE_LIMITED), retryAfterMs }
    },
    replace(next) {
      limits.keep(next.keys.flatMap((entry) => limitsOf(entry, next)))
      known = know(next, limits)
    },
  }
}

function refused(reason: RefusalReason, message: string) {
  return { type: 'refused', reason, message } as const
}

function know(file: ApiKeysFile, limits: TenantLimits): ReadonlyMap<string, KnownKey> {
  return new Map(
    file.keys.map((entry) => {
      const limited = limitsOf(entry, file)
      const sender = { tenant: entry.tenant, meter: limits.meterOf(limited) }
      const maxRequestBytes = smallest(limited.map((each) => each.limits.max_request_bytes))
      const hash = Buffer.from(entry.hash, 'hex')
      return [entry.id, { entry, hash, admission: { type: 'admitted', sender, maxRequestBytes } }]
    }),
  )
}

/** All keys of a tenant share its limits, and each has its own beside them. */
function limitsOf({ id, tenant, limits }: ApiKeyEntry, file: ApiKeysFile): readonly Limited[] {
  const shared: SenderLimits = file.tenants.get(tenant) ?? file.defaults
  return [
    { name: `tenant ${tenant}`, limits: shared },
    { name: `key ${id}`, limits },
  ]
}

function smallest(limits: readonly (number | undefined)[]): number | undefined {
  const told = limits.filter((limit) => limit !== undefined)
  return told.length === 0 ? undefined : Math.min(...told)
}
