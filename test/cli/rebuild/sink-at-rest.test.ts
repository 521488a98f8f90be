import { expect, test } from 'vitest'
import { encodeCheckpoint } from '#runtime/checkpoint.ts'
import { requireSinkAtRest } from '../../../services/cli/rebuild/sink-at-rest.ts'

interface Found {
  readonly members?: string
  readonly pendingIn?: string
}

/** Groups that have landed offset 7 of partition 0, and nothing of partition 1. */
const store = ({ members, pendingIn }: Found) => ({
  hasMembers: async (group: string) => group === members,
  ranges: async () =>
    new Map([
      [0, { low: 0n, high: 9n }],
      [1, { low: 0n, high: 0n }],
    ]),
  commits: async (group: string) => {
    const pending = group === pendingIn ? { pendingTo: 8n } : {}
    const metadata = encodeCheckpoint({ sources: new Map(), ...pending })
    return new Map([
      [0, { offset: 7n, metadata }],
      [1, undefined],
    ])
  },
})

test('A sink that is stopped tells how far it has come', async () => {
  const landed = await requireSinkAtRest(store({}))
  expect([...landed.keys()]).toEqual(['spans.enriched', 'price-corrections', 'evaluations'])
  expect(landed.get('evaluations')).toEqual(new Map([[0, 7n]]))
})

test.each([
  ['has members', { members: 'sink-evaluations' }, /sink-evaluations has members/],
  [
    'was ended in an insert',
    { pendingIn: 'sink' },
    /spans\.enriched\/0 at 7.*stop it with SIGTERM/,
  ],
])('A sink that %s is no sink at rest', async (_, found, message) => {
  await expect(requireSinkAtRest(store(found))).rejects.toThrow(message)
})
