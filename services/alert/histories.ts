import { GroupHistory } from './history.ts'
import {
  type Delta,
  GROUP_SEPARATOR,
  joinGroup,
  OTHER_GROUP,
  type SeriesSpec,
  splitGroup,
} from './series.ts'

/** Parts of one group that are told apart as its contributors; the rest counts as one more. */
const MAX_CONTRIBUTORS = 50

interface SeriesGroups {
  readonly spec: SeriesSpec
  readonly groups: Map<string, GroupHistory>
  /** Of a series of contributors: its groups by the group that they are parts of. */
  readonly parts: Map<string, Set<string>>
}

/** A piece of history that was changed: where it belongs, and what it is now. */
export interface HistoryPiece {
  readonly series: string
  readonly group: string
  readonly name: string
  /** Empty where the piece is no longer needed. */
  readonly payload: string
}

/** Where a delta went. */
export interface Added {
  readonly spec: SeriesSpec
  readonly group: string
  readonly isTooOld: boolean
}

/** Buckets of all groups of all series of one partition. Bounded: see SeriesSpec.maxGroups. */
export class Histories {
  readonly #series = new Map<string, SeriesGroups>()
  readonly #changed = new Map<string, Map<string, GroupHistory>>()
  readonly #gone: HistoryPiece[] = []
  /** Deltas that found no room for a group of their own, since the start. */
  overflowed = 0

  /** Takes these series over and forgets all others. */
  configure(specs: readonly SeriesSpec[]): void {
    const known = new Map(specs.map((spec) => [spec.id, spec]))
    for (const [id, { groups }] of this.#series) {
      if (known.has(id)) continue
      for (const group of groups.keys()) this.#forget(id, group)
      this.#series.delete(id)
    }
    for (const spec of specs) {
      const old = this.#series.get(spec.id)
      if (old === undefined) {
        this.#series.set(spec.id, { spec, groups: new Map(), parts: new Map() })
      } else if (!isSameStorage(old.spec, spec)) this.#series.set(spec.id, { ...old, spec })
    }
  }

  /** Adds to a bucket; undefined for a series that no rule has. */
  add(delta: Delta): Added | undefined {
    const series = this.#series.get(delta.series)
    if (series === undefined) return undefined
    const history = this.#historyFor(series, delta.group)
    const isTooOld = !history.value.add(delta.bucket, delta)
    if (!isTooOld) this.#touch(delta.series, history.group, history.value)
    return { spec: series.spec, group: history.group, isTooOld }
  }

  of(series: SeriesSpec, group: string): GroupHistory | undefined {
    return this.#series.get(series.id)?.groups.get(group)
  }

  /** Groups of a series, with their histories. */
  groups(series: SeriesSpec): ReadonlyMap<string, GroupHistory> {
    return this.#series.get(series.id)?.groups ?? new Map<string, GroupHistory>()
  }

  /** The groups of a series of contributors that are parts of `group`. */
  parts(series: SeriesSpec, group: string): Iterable<string> {
    return this.#series.get(series.id)?.parts.get(group) ?? []
  }

  /** Notes that something in the history of a group was fixed. */
  settle(series: SeriesSpec, group: string): void {
    const history = this.of(series, group)
    if (history !== undefined) this.#touch(series.id, group, history)
  }

  /** Forgets buckets that no rule looks back to any more, and groups that have none left. */
  expire(
    nowMs: (spec: SeriesSpec) => number | undefined,
    isKept: (group: string) => boolean,
  ): void {
    for (const { spec, groups } of this.#series.values()) {
      const atMs = nowMs(spec)
      if (atMs === undefined) continue
      for (const [group, history] of groups) {
        const isChanged = history.expire(atMs - spec.retainMs)
        if (history.isEmpty && !isKept(group)) this.#forget(spec.id, group)
        else if (isChanged) this.#touch(spec.id, group, history)
      }
    }
  }

  /** Groups that changed since changes() was called last. */
  changed(): number {
    let groups = this.#gone.length
    for (const series of this.#changed.values()) groups += series.size
    return groups
  }

  /** Pieces that changed since the last call. */
  changes(): readonly HistoryPiece[] {
    const pieces = this.#gone.splice(0)
    for (const [series, groups] of this.#changed) {
      for (const [group, history] of groups) {
        for (const { name, payload } of history.changes()) {
          pieces.push({ series, group, name, payload })
        }
      }
    }
    this.#changed.clear()
    return pieces
  }

  /** Takes a stored piece over; one of a series that no rule has any more is let go. */
  restore({ series: id, group, name, payload }: HistoryPiece): void {
    const series = this.#series.get(id)
    if (series === undefined) this.#gone.push({ series: id, group, name, payload: '' })
    else this.#historyOf(series, group).restore(name, payload)
  }

  /** What is kept, for metrics. */
  size(): { readonly groups: number; readonly bytes: number } {
    let groups = 0
    let bytes = 0
    for (const series of this.#series.values()) {
      groups += series.groups.size
      for (const history of series.groups.values()) bytes += history.bytes
    }
    return { groups, bytes }
  }

  /** The history of a group, or of what has no room for a group of its own. */
  #historyFor(series: SeriesGroups, group: string): { group: string; value: GroupHistory } {
    const found = series.groups.get(group)
    if (found !== undefined) return { group, value: found }
    const { spec } = series
    const isPart = spec.keyLength < spec.by.length
    const whole = isPart ? prefixOf(spec, group) : ''
    const parts = isPart ? series.parts.get(whole) : undefined
    const isCrowded = parts !== undefined && parts.size >= MAX_CONTRIBUTORS
    if (series.groups.size < spec.maxGroups && !isCrowded) {
      return { group, value: this.#historyOf(series, group) }
    }
    this.overflowed++
    // Only a group that has parts already may have others: groups that come and go never end.
    const own = parts === undefined ? [] : splitGroup(whole, spec.keyLength)
    const other = joinGroup(spec.by.map((_, i) => own[i] ?? OTHER_GROUP))
    return { group: other, value: this.#historyOf(series, other) }
  }

  #historyOf({ spec, groups, parts }: SeriesGroups, group: string): GroupHistory {
    const found = groups.get(group)
    if (found !== undefined) return found
    const history = new GroupHistory(spec)
    groups.set(group, history)
    if (spec.keyLength < spec.by.length) {
      const whole = prefixOf(spec, group)
      const own = parts.get(whole) ?? new Set<string>()
      parts.set(whole, own.add(group))
    }
    return history
  }

  #touch(series: string, group: string, history: GroupHistory): void {
    const changed = this.#changed.get(series) ?? new Map<string, GroupHistory>()
    this.#changed.set(series, changed.set(group, history))
  }

  #forget(id: string, group: string): void {
    const series = this.#series.get(id)
    const history = series?.groups.get(group)
    if (series === undefined || history === undefined) return
    for (const name of history.names()) this.#gone.push({ series: id, group, name, payload: '' })
    series.groups.delete(group)
    this.#changed.get(id)?.delete(group)
    if (series.spec.keyLength < series.spec.by.length) {
      const whole = prefixOf(series.spec, group)
      const own = series.parts.get(whole)
      own?.delete(group)
      if (own?.size === 0) series.parts.delete(whole)
    }
  }
}

function isSameStorage(a: SeriesSpec, b: SeriesSpec): boolean {
  return a.retainMs === b.retainMs && a.hasBins === b.hasBins && a.maxGroups === b.maxGroups
}

/** The group that a contributor's group is a part of. */
function prefixOf({ by, keyLength }: SeriesSpec, group: string): string {
  return splitGroup(group, by.length).slice(0, keyLength).join(GROUP_SEPARATOR)
}
