import { expect, test } from 'vitest'
import { ATTRIBUTES_PER_SPAN, makeCall, makeCaller } from '../../bench/workload.ts'
import { createRandom } from '../../services/cli/replay/random.ts'

test('every call has the same number of attributes, whether it failed or not', () => {
  const random = createRandom([1, 0, 0])
  const calls = Array.from({ length: 500 }, () => makeCall(random, makeCaller(random)))
  expect(new Set(calls.map(({ attributes }) => Object.keys(attributes).length))).toEqual(
    new Set([ATTRIBUTES_PER_SPAN]),
  )
  expect(calls.some(({ errorType }) => errorType !== undefined)).toBe(true)
})
