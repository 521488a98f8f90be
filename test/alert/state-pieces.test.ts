import { describe, expect, test } from 'vitest'
import {
  CORE,
  fromPieces,
  type StoredEvaluator,
  toPieces,
} from '../../services/alert/state-pieces.ts'
import { INITIAL } from '../../services/alert/state-machine.ts'
import { NOON } from './alert-samples.ts'

const STORED: StoredEvaluator = {
  time: [{ source: 'spans', partitions: 2, watermarkMs: NOON, reaches: [[0, NOON, null]] }],
  nextEndMs: [
    ['slow', NOON],
    ['idle', null],
  ],
  silences: [
    {
      id: 's',
      rule: '',
      matchers: { tenant: 'acme' },
      fromMs: 0,
      untilMs: NOON,
      createdBy: 'me',
      comment: 'a "quoted" one',
    },
  ],
  machines: [
    {
      family: 'slow',
      rule: 'slow/page',
      group: 'acme\u001Fgpt-4o',
      state: { ...INITIAL, state: 'firing', firingSinceMs: NOON, firings: [NOON] },
    },
    { family: 'slow', rule: 'slow/page', group: '', state: undefined },
  ],
  histories: [
    { series: '0123456789abcdef', group: 'acme', name: 'b7', payload: '[[1,2]]' },
    { series: '0123456789abcdef', group: 'gone', name: 'b7', payload: '' },
  ],
}
const AT = { offset: 2n ** 60n, metadata: '{"v":1}' }

const kept = () =>
  new Map(
    toPieces(STORED, AT)
      .filter(({ payload }) => payload !== '')
      .map(({ key, payload }) => [key, payload]),
  )

describe('Pieces of a state', () => {
  test('all say the offset that the whole stands at, and the core is among them, last', () => {
    const pieces = toPieces(STORED, AT)
    expect(new Set(pieces.map(({ at }) => at))).toEqual(new Set([AT.offset]))
    expect(pieces.at(-1)?.key).toBe(CORE)
    expect(toPieces({ ...STORED, machines: [], histories: [] }, AT).map(({ key }) => key)).toEqual([
      CORE,
    ])
  })

  test('have a key each', () => {
    const keys = toPieces(STORED, AT).map(({ key }) => key)
    expect(new Set(keys).size).toBe(5)
  })

  test('are empty for what is no longer needed', () => {
    const empty = toPieces(STORED, AT).filter(({ payload }) => payload === '')
    expect(empty.map(({ key }) => JSON.parse(key))).toEqual([
      ['history', '0123456789abcdef', 'gone', 'b7'],
      ['machine', 'slow', 'slow/page', ''],
    ])
  })

  test('are read back as what they were made of', () => {
    const { checkpoint, ...stored } = fromPieces(kept())
    expect(checkpoint).toBe(AT.metadata)
    expect(stored).toEqual({
      ...STORED,
      machines: STORED.machines.slice(0, 1),
      histories: STORED.histories.slice(0, 1),
    })
  })

  test('that are none are an empty state', () => {
    expect(fromPieces(new Map())).toEqual({
      time: [],
      nextEndMs: [],
      silences: [],
      checkpoint: '',
      machines: [],
      histories: [],
    })
  })
})
