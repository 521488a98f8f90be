/** Sums of some calls, as they were and as they are with today's prices. */
export interface Sums {
  readonly calls: number
  /** Calls whose price differs. */
  readonly corrected: number
  readonly oldCostPicoUsd: bigint
  readonly newCostPicoUsd: bigint
  readonly unpricedBefore: number
  readonly unpricedAfter: number
}

/** Sums of the calls of one model and tenant. */
export interface Group extends Sums {
  readonly model: string
  readonly tenant: string
}

/** A call before and after pricing it again. */
export interface PriceChange {
  readonly model: string
  readonly tenant: string
  readonly isCorrected: boolean
  readonly oldStatus: string
  readonly newStatus: string
  readonly oldCostPicoUsd: bigint | null
  readonly newCostPicoUsd: bigint | null
}

/** Adds calls up by model and tenant. */
export interface Tally {
  add(change: PriceChange): void
  total(): Sums
  /** Groups with a difference, the largest first. */
  changed(): readonly Group[]
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Models and tenants are told apart up to this many pairs; the rest is one group. */
const MAX_GROUPS = 100_000
const OTHERS = '(others)'

/** An empty tally. */
export function createTally(maxGroups = MAX_GROUPS): Tally {
  const all = emptySums()
  const groups = new Map<string, Mutable<Group>>()
  const groupOf = (model: string, tenant: string): Mutable<Group> => {
    const key = JSON.stringify([model, tenant])
    const found = groups.get(key)
    if (found !== undefined) return found
    if (groups.size >= maxGroups && model !== OTHERS) return groupOf(OTHERS, OTHERS)
    const group = { model, tenant, ...emptySums() }
    groups.set(key, group)
    return group
  }
  return {
    add(change) {
      addTo(all, change)
      addTo(groupOf(change.model, change.tenant), change)
    },
    total: () => ({ ...all }),
    changed: () =>
      [...groups.values()]
        .filter(({ corrected }) => corrected > 0)
        .sort(
          (a, b) =>
            compare(size(b), size(a)) || compare(a.model, b.model) || compare(a.tenant, b.tenant),
        ),
  }
}

function emptySums(): Mutable<Sums> {
  return {
    calls: 0,
    corrected: 0,
    oldCostPicoUsd: 0n,
    newCostPicoUsd: 0n,
    unpricedBefore: 0,
    unpricedAfter: 0,
  }
}

function addTo(sums: Mutable<Sums>, change: PriceChange): void {
  sums.calls++
  if (change.isCorrected) sums.corrected++
  sums.oldCostPicoUsd += change.oldCostPicoUsd ?? 0n
  sums.newCostPicoUsd += change.newCostPicoUsd ?? 0n
  if (change.oldStatus === 'unpriced') sums.unpricedBefore++
  if (change.newStatus === 'unpriced') sums.unpricedAfter++
}

function size({ oldCostPicoUsd, newCostPicoUsd }: Sums): bigint {
  const difference = newCostPicoUsd - oldCostPicoUsd
  return difference < 0n ? -difference : difference
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
