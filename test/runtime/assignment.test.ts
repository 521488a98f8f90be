import { expect, test } from 'vitest'
import { Assignment } from '../../services/runtime/assignment.ts'
import { type BatchControl, LostPartitionError } from '../../services/runtime/records.ts'

const COMMIT = { offset: 1n, metadata: '' }

/** A control that notes what comes through to it. */
function controlOf(calls: string[]): BatchControl {
  return {
    heartbeat: async () => void calls.push('heartbeat'),
    commit: async () => void calls.push('commit'),
    committed: async () => undefined,
    seek: () => void calls.push('seek'),
  }
}

const lost = () => new Error('of the client')

function bound(assignment: Assignment, partition: number) {
  const calls: string[] = []
  return { calls, control: assignment.bind(partition, controlOf(calls), lost) }
}

test('A batch may do everything while its assignment lasts', async () => {
  const assignment = new Assignment()
  assignment.renew([0, 3])
  const { calls, control } = bound(assignment, 3)
  await control?.heartbeat()
  await control?.commit(COMMIT)
  control?.seek(4n)
  expect(calls).toEqual(['heartbeat', 'commit', 'seek'])
})

test.each([
  ['its partition went elsewhere', [0]],
  ['its partition was given again', [0, 3]],
])('A batch that was under way when %s has lost it', async (_, next) => {
  const assignment = new Assignment()
  assignment.renew([0, 3])
  const { calls, control } = bound(assignment, 3)
  assignment.renew(next)
  await expect(control?.commit(COMMIT)).rejects.toThrow(LostPartitionError)
  await expect(control?.heartbeat()).rejects.toMatchObject({ cause: lost() })
  expect(calls).toEqual([])
})

test('A batch of a partition that went elsewhere is not handled', () => {
  const assignment = new Assignment()
  expect(bound(assignment, 3).control).toBeUndefined()
  assignment.renew([0])
  expect(bound(assignment, 3).control).toBeUndefined()
  expect(bound(assignment, 0).control).toBeDefined()
})
