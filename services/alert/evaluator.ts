import type { Alert } from '#schemas/items.ts'
import { toAlert } from './alert-record.ts'
import { Calendar } from './calendar.ts'
import { seriesOf } from './condition-series.ts'
import { readDeltas } from './delta-batch.ts'
import { findEvidence } from './evidence.ts'
import { Histories } from './histories.ts'
import { mutedBy } from './mutes.ts'
import type { Progress } from './progress.ts'
import type { Rule, RuleSet } from './rule.ts'
import { type Decision, groupRecord, RuleFamily, type Surroundings } from './rule-family.ts'
import type { SeriesSpec, Source } from './series.ts'
import type { Silence } from './silence.ts'
import type { StoredEvaluator } from './state-pieces.ts'
import { Watermarks } from './watermarks.ts'

type StoredMachine = StoredEvaluator['machines'][number]

export interface EvaluatorOptions {
  readonly rules: RuleSet
  /** How long nothing came from a partition that says that it is quiet. */
  readonly idleMs: number
  /** Address of Grafana for links; empty for none. */
  readonly grafanaUrl: string
}

/** One record of span.aggregates, or of history that is tested. */
export interface Input {
  /** Batch of aggregates. */
  readonly value: Buffer
  readonly progress: Progress | undefined
  readonly silence: Silence | undefined
}

/** How long, in event time, what has expired may stay. */
const EXPIRE_EVERY_MS = 5 * 60_000

/**
 * The second stage, for one partition of span.aggregates: records in, changes of alerts out. The
 * same records give the same changes, whenever they are read: it has no clock but theirs.
 */
export class Evaluator {
  readonly #options: EvaluatorOptions
  readonly #histories = new Histories()
  readonly #calendar = new Calendar()
  readonly #watermarks: Watermarks
  #families = new Map<string, RuleFamily>()
  /** Families whose rules may fire before the watermark, by series. */
  #early = new Map<string, readonly RuleFamily[]>()
  #silences: readonly Silence[] = []
  #expiredMs = 0
  /** Changes that wait for the next record: of rules that are gone. */
  #waiting: Alert[] = []
  /** Stored machines of rules that are gone. */
  readonly #gone: StoredMachine[] = []
  /** Deltas that came when their window was decided, and those older than anything that is kept. */
  late = 0
  tooOld = 0

  constructor(options: EvaluatorOptions) {
    this.#options = options
    const { allowedLatenessMs } = options.rules
    this.#watermarks = new Watermarks({ allowedLatenessMs, idleMs: options.idleMs })
    this.configure(options.rules)
  }

  /** Takes changed rules over; states of rules that stay are kept. */
  configure({ rules, series, allowedLatenessMs }: RuleSet): void {
    this.#watermarks.configure({ allowedLatenessMs, idleMs: this.#options.idleMs })
    const byName = Map.groupBy(rules, ({ name }) => name)
    const timeMs = Math.max(0, ...(['spans', 'system'] as const).map((s) => this.#time([s]) ?? 0))
    for (const [name, family] of this.#families) {
      const decisions = family.configure(byName.get(name) ?? [], timeMs)
      this.#waiting.push(...decisions.map((decision) => this.#toAlert(decision)))
      if (!byName.has(name)) this.#gone.push(...changedMachines(name, family))
    }
    this.#families = new Map(
      [...byName].map(([name, own]) => [name, this.#families.get(name) ?? new RuleFamily(own)]),
    )
    this.#startFamilies()
    this.#histories.configure(series)
    this.#early = earlyFamilies(this.#families.values())
  }

  /** Takes one record in; gives the changes that it makes, in order. */
  apply({ value, progress, silence }: Input): readonly Alert[] {
    const touched = this.#add(value)
    const out = this.#waiting.splice(0)
    if (silence !== undefined) this.#silence(silence)
    const around = this.#surroundings()
    if (progress !== undefined) this.#watermarks.note(progress)
    for (const [family, groups] of touched) {
      for (const [group, ends] of groups) {
        // The first end that holds is the same however records were put together.
        for (const endMs of [...ends].toSorted((a, b) => a - b)) {
          this.#emit(family.early(group, endMs, around), out)
        }
      }
    }
    for (const family of this.#families.values()) {
      const timeMs = this.#time(family.rules[0]?.sources ?? [])
      if (timeMs !== undefined) this.#emit(family.advance(timeMs, around), out)
    }
    this.#expire()
    return out
  }

  /** Event time of each source, milliseconds. */
  watermark(source: Source): number | undefined {
    return this.#watermarks.of(source)
  }

  /** How often a group found no room, since the start. */
  get overflowed(): number {
    return this.#histories.overflowed
  }

  size(): { readonly groups: number; readonly bytes: number; readonly overflowed: number } {
    return { ...this.#histories.size(), overflowed: this.overflowed }
  }

  /** How many groups changed since changes() was called last. */
  changed(): number {
    return this.#histories.changed()
  }

  /** What changed since the last call, for the log of its state. */
  changes(): StoredEvaluator {
    return {
      time: this.#watermarks.stored(),
      nextEndMs: [...this.#families].map(([name, { nextEndMs }]) => [name, nextEndMs ?? null]),
      silences: this.#silences,
      machines: [
        ...this.#gone.splice(0),
        ...[...this.#families].flatMap(([name, family]) => changedMachines(name, family)),
      ],
      histories: this.#histories.changes(),
    }
  }

  /** Takes stored pieces over, before the first record. */
  restore(pieces: StoredEvaluator): void {
    this.#watermarks.restore(pieces.time)
    this.#silences = pieces.silences
    for (const [name, nextEndMs] of pieces.nextEndMs) {
      const family = this.#families.get(name)
      if (family !== undefined && nextEndMs !== null) family.nextEndMs = nextEndMs
    }
    for (const { family: name, rule, group, state } of pieces.machines) {
      const family = this.#families.get(name)
      const isKnown = family?.rules.some(({ id }) => id === rule) === true
      if (isKnown && state !== undefined) family?.restore(rule, group, state)
      else this.#gone.push({ family: name, rule, group, state: undefined })
    }
    for (const piece of pieces.histories) this.#histories.restore(piece)
    this.#startFamilies()
  }

  /** Rules that are new look at nothing that was over before they were there. */
  #startFamilies(): void {
    for (const family of this.#families.values()) {
      const timeMs = this.#time(family.rules[0]?.sources ?? [])
      if (timeMs !== undefined) family.startAfter(timeMs)
    }
  }

  /** Adds a batch; gives the groups for which something may have been decided early. */
  #add(value: Buffer): ReadonlyMap<RuleFamily, ReadonlyMap<string, ReadonlySet<number>>> {
    const touched = new Map<RuleFamily, Map<string, Set<number>>>()
    readDeltas(value, (delta) => {
      const added = this.#histories.add(delta)
      if (added === undefined) return
      if (added.isTooOld) {
        this.tooOld++
        return
      }
      const endMs = (delta.bucket + 1) * added.spec.bucketMs
      if (endMs <= (this.#watermarks.of(added.spec.source) ?? 0)) this.late++
      for (const family of this.#early.get(delta.series) ?? []) {
        const groups = touched.get(family) ?? new Map<string, Set<number>>()
        touched.set(family, groups)
        const ends = groups.get(added.group) ?? new Set<number>()
        groups.set(added.group, ends.add(endMs))
        const lastMs = this.#histories.of(added.spec, added.group)?.lastMs
        if (lastMs !== undefined) ends.add(lastMs)
      }
    })
    return touched
  }

  #surroundings(): Surroundings {
    return {
      histories: this.#histories,
      calendar: this.#calendar,
      mutedBy: (rule, group, timeMs, isFiring) =>
        mutedBy(rule, group, timeMs, this.#silences, isFiring),
    }
  }

  #silence(silence: Silence): void {
    const others = this.#silences.filter(({ id }) => id !== silence.id)
    const nowMs = Math.max(this.#time(['spans']) ?? 0, this.#time(['system']) ?? 0)
    this.#silences = [...others, silence].filter(({ untilMs }) => untilMs > nowMs)
  }

  #emit(decisions: readonly Decision[], out: Alert[]): void {
    for (const decision of decisions) out.push(this.#toAlert(decision))
  }

  #toAlert({ rule, group, change, verdict }: Decision): Alert {
    return toAlert({
      rule,
      group: groupRecord(rule, group),
      change,
      verdict,
      evidence: findEvidence(rule, group, verdict, this.#histories),
      grafanaUrl: this.#options.grafanaUrl,
    })
  }

  /** Time of rules that read several sources: that of the slowest. */
  #time(sources: readonly Source[]): number | undefined {
    let slowest: number | undefined
    for (const source of sources) {
      const timeMs = this.#watermarks.of(source)
      if (timeMs === undefined) return undefined
      slowest = Math.min(slowest ?? timeMs, timeMs)
    }
    return slowest
  }

  #expire(): void {
    const nowMs = this.#time(['spans']) ?? this.#time(['system']) ?? 0
    if (nowMs - this.#expiredMs < EXPIRE_EVERY_MS) return
    this.#expiredMs = nowMs
    const families = [...this.#families.values()]
    this.#histories.expire(
      ({ source }: SeriesSpec) => this.#watermarks.of(source),
      (group) => families.some((family) => family.holds(group)),
    )
  }
}

function changedMachines(name: string, family: RuleFamily): readonly StoredMachine[] {
  return family.changes().map((change) => ({ family: name, ...change }))
}

function earlyFamilies(families: Iterable<RuleFamily>): Map<string, readonly RuleFamily[]> {
  const bySeries = new Map<string, readonly RuleFamily[]>()
  for (const family of families) {
    const early = family.rules.filter(({ isEarly }) => isEarly)
    const ids = new Set(
      early.flatMap(({ condition }: Rule) => seriesOf(condition)).map((s) => s.id),
    )
    for (const id of ids) bySeries.set(id, [...(bySeries.get(id) ?? []), family])
  }
  return bySeries
}
