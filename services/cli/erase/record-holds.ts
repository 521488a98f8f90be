import type { Mentions } from './mentions.ts'

/** Whose records are looked for. */
export interface Wanted {
  readonly user: string
  /** Undefined for all tenants. */
  readonly tenant: string | undefined
  readonly mentions: Mentions
  /** The person's traces: what lies in them and names nobody is the person's too. */
  readonly traceIds: ReadonlySet<string>
}

/** Whether an item of a batch names the person, or lies in a trace of theirs and names nobody. */
export function itemHolds(item: object, wanted: Wanted): boolean {
  const { tenant, user, traceId } = factsOf(item)
  if (wanted.tenant !== undefined && tenant !== '' && tenant !== wanted.tenant) return false
  if (user === '' && wanted.traceIds.has(traceId)) return true
  return valueHolds(item, wanted)
}

function valueHolds(value: unknown, wanted: Wanted): boolean {
  if (typeof value === 'string') return wanted.mentions.inText(value)
  if (value instanceof Uint8Array) return bytesHold(Buffer.from(value), wanted)
  if (Array.isArray(value)) return value.some((each) => valueHolds(each, wanted))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([name, each]) => wanted.mentions.inText(name) || valueHolds(each, wanted),
  )
}

/** An id as protobuf has it: the tag and the length of a span's trace_id, and its 16 bytes. */
const ID_IN_PROTO = '\n\u0010'
const ID_BYTES = 16
const ID_IN_JSON = /[0-9a-fA-F]{32}/g

/** Whether bytes of whatever kind hold the name, or the id of a trace of the person's. */
export function bytesHold(bytes: Buffer, { mentions, traceIds }: Wanted): boolean {
  if (mentions.inBytes(bytes)) return true
  if (traceIds.size === 0) return false
  for (let at = bytes.indexOf(ID_IN_PROTO); at !== -1; at = bytes.indexOf(ID_IN_PROTO, at + 1)) {
    const from = at + ID_IN_PROTO.length
    if (traceIds.has(bytes.toString('hex', from, from + ID_BYTES))) return true
  }
  const ids = bytes.toString('latin1').matchAll(ID_IN_JSON)
  return ids.some(([id]) => traceIds.has(id.toLowerCase()))
}

/** The trace of an item that is the person's by its user, not by its trace. */
export function traceOf(
  item: object,
  wanted: Wanted,
): { readonly tenant: string; readonly traceId: string } | undefined {
  const { tenant, user, traceId } = factsOf(item)
  const isTheirs = user === wanted.user && (wanted.tenant ?? tenant) === tenant
  return isTheirs && traceId !== '' ? { tenant, traceId } : undefined
}

/** Items without a user, such as aggregates, are no one's by their trace. */
function factsOf(item: object): { tenant: string; user: string | undefined; traceId: string } {
  const fields = new Map<string, unknown>(Object.entries(item))
  const user = fields.get('user')
  return {
    tenant: textOf(fields.get('tenant')),
    user: typeof user === 'string' ? user : undefined,
    traceId: textOf(fields.get('trace_id')),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
