import { expect, test } from 'vitest'
import { admitAll } from '../../services/ingest/api-keys.ts'
import { shedLoad } from '../../services/ingest/shed-load.ts'

/** A receiver that is busy for as long as the test says with each request. */
function busyReceiver(maxBusyMs: number) {
  const clock = { nowMs: 0 }
  const ends: (() => void)[] = []
  const admit = shedLoad(admitAll, {
    maxBusyMs,
    now: () => clock.nowMs,
    afterTurn: (task) => ends.push(task),
  })
  const take = (tookMs: number) => {
    const admission = admit(undefined, 'traces')
    clock.nowMs += tookMs
    return admission.type === 'refused' ? admission.reason : admission.type
  }
  const endTurn = () => {
    for (const end of ends.splice(0)) end()
  }
  return { take, endTurn, ends }
}

test('what waits behind others for too long in one turn is refused, until the turn has ended', () => {
  const { take, endTurn } = busyReceiver(250)
  expect([take(100), take(150), take(1), take(0), take(0)]).toEqual([
    'admitted',
    'admitted',
    'admitted',
    'overloaded',
    'overloaded',
  ])
  endTurn()
  expect(take(0)).toBe('admitted')
})

test('a refused request is told when to come again', () => {
  let nowMs = 0
  const admit = shedLoad(admitAll, {
    maxBusyMs: 10,
    now: () => (nowMs += 100),
    afterTurn: () => undefined,
  })
  admit(undefined, 'traces')
  expect(admit(undefined, 'traces')).toMatchObject({ type: 'refused', retryAfterMs: 1_000 })
})

test('one request at a time is taken however long it takes', () => {
  const { take, endTurn } = busyReceiver(250)
  for (let i = 0; i < 3; i++) {
    expect(take(5_000)).toBe('admitted')
    endTurn()
  }
})

test('only one end of a turn is waited for, however many requests it has', () => {
  const { take, ends } = busyReceiver(250)
  for (let i = 0; i < 10; i++) take(0)
  expect(ends).toHaveLength(1)
})
