import { expect, test } from 'vitest'
import { formatProgress, parseProgress } from '../../services/alert/progress.ts'

test.each([
  { source: 'spans', partition: 3, partitions: 4, eventMs: 1_700_000_000_123, quietMs: undefined },
  { source: 'dead_letters', partition: 0, partitions: 1, eventMs: undefined, quietMs: 5 },
  { source: 'system', partition: 0, partitions: 1, eventMs: undefined, quietMs: undefined },
] as const)('Progress is read as it was written: %o', (progress) => {
  expect(parseProgress(formatProgress(progress))).toEqual(progress)
})

test.each([
  '',
  'spans',
  'spans/0/1',
  'other/0/1/2/3',
  'spans/a/1/2/3',
  'spans/0/1/2/3/4',
  'spans/-/1/2/3',
])('What is no progress is not read: %s', (text) => {
  expect(parseProgress(text)).toBeUndefined()
})
