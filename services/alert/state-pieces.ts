import type { Committed } from '#runtime/records.ts'
import type { AlertState } from '#schemas/items.ts'
import type { HistoryPiece } from './histories.ts'
import type { Silence } from './silence.ts'
import type { MachineState } from './state-machine.ts'
import type { StoredTime } from './watermarks.ts'

/** All, or what changed, of an evaluator's state. */
export interface StoredEvaluator {
  readonly time: readonly StoredTime[]
  readonly nextEndMs: readonly (readonly [string, number | null])[]
  readonly silences: readonly Silence[]
  readonly machines: readonly {
    readonly family: string
    readonly rule: string
    readonly group: string
    /** Undefined for one that is at rest: nothing is kept of it. */
    readonly state: MachineState | undefined
  }[]
  readonly histories: readonly HistoryPiece[]
}

/** The piece that is written with every other, and says what the whole stands at. */
export const CORE = 'core'

/**
 * Changes as pieces for alert.state; one with an empty payload takes its key away. `checkpoint` is
 * what the record loop must remember at the offset.
 */
export function toPieces(
  stored: StoredEvaluator,
  { offset: at, metadata: checkpoint }: Committed,
): readonly AlertState[] {
  const { time, nextEndMs, silences, machines, histories } = stored
  return [
    ...histories.map(({ series, group, name, payload }) => ({
      key: JSON.stringify(['history', series, group, name]),
      at,
      payload,
    })),
    ...machines.map(({ family, rule, group, state }) => ({
      key: JSON.stringify(['machine', family, rule, group]),
      at,
      payload: state === undefined ? '' : JSON.stringify(state),
    })),
    { key: CORE, at, payload: JSON.stringify({ time, nextEndMs, silences, checkpoint }) },
  ]
}

/** Pieces as they were read back, by key: what restore() takes, and the record loop's checkpoint. */
export function fromPieces(
  pieces: ReadonlyMap<string, string>,
): StoredEvaluator & { readonly checkpoint: string } {
  const machines: StoredEvaluator['machines'][number][] = []
  const histories: HistoryPiece[] = []
  let core: Pick<StoredEvaluator, 'time' | 'nextEndMs' | 'silences'> & {
    readonly checkpoint: string
  } = { time: [], nextEndMs: [], silences: [], checkpoint: '' }
  for (const [key, payload] of pieces) {
    if (key === CORE) {
      core = JSON.parse(payload)
      continue
    }
    const [kind, ...names]: readonly string[] = JSON.parse(key)
    const [first = '', second = '', third = ''] = names
    if (kind === 'history') histories.push({ series: first, group: second, name: third, payload })
    else machines.push({ family: first, rule: second, group: third, state: JSON.parse(payload) })
  }
  return { ...core, machines, histories }
}
