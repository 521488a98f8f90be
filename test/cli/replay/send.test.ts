import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../services/cli/replay/clock.ts'
import type { OtlpRequest } from '../../../services/cli/replay/otlp.ts'
import { replay, type ReplayOptions } from '../../../services/cli/replay/send.ts'

/** A clock that only sleeping moves. */
function createClock(): Clock {
  let nowMs = 1_000_000
  return {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
    },
  }
}

const request = (sendTimeMs: number, size = 10): OtlpRequest => ({
  sendTimeMs,
  body: new Uint8Array(size).fill(sendTimeMs),
  spans: 1,
  specs: [],
})
const defaults: ReplayOptions = {
  speed: Infinity,
  originMs: 0,
  concurrency: 1,
  maxBodies: 1,
  maxBytes: Infinity,
}

/** Requests without end. */
const endless = function* () {
  for (let i = 0; ; i++) yield request(i)
}

/** A receiver that refuses the fourth request. */
const failFourth = async (bodies: readonly Uint8Array[]) => {
  if (bodies[0]?.[0] === 3) throw new Error('broker gone')
}

/** Replays and notes when each call of `send` came and how many bodies it got. */
async function run(requests: readonly OtlpRequest[], options: Partial<ReplayOptions>) {
  const clock = createClock()
  const startMs = clock.now()
  const calls: { atMs: number; bodies: number }[] = []
  const sent: OtlpRequest[] = []
  const outcome = await replay(
    requests,
    { ...defaults, ...options },
    {
      send: async (bodies) => {
        calls.push({ atMs: clock.now() - startMs, bodies: bodies.length })
      },
      onSent: (one) => sent.push(one),
      signal: new AbortController().signal,
      clock,
    },
  )
  return { calls, sent, outcome }
}

describe('pacing', () => {
  const requests = [request(1000), request(2000), request(2000), request(8000)]

  it.each([
    [1, [1000, 2000, 2000, 8000]],
    [10, [100, 200, 200, 800]],
    [0.5, [2000, 4000, 4000, 16_000]],
    [Infinity, [0, 0, 0, 0]],
  ])('at speed %d sends at event time divided by the speed', async (speed, times) => {
    const { calls, outcome } = await run(requests, { speed })
    expect(calls.map(({ atMs }) => atMs)).toEqual(times)
    expect(outcome).toBe('complete')
  })

  it('hands over together what is due at the same time', async () => {
    const { calls } = await run(requests, { speed: 1, maxBodies: 10 })
    expect(calls).toEqual([
      { atMs: 1000, bodies: 1 },
      { atMs: 2000, bodies: 2 },
      { atMs: 8000, bodies: 1 },
    ])
  })

  it('keeps a call within its bodies and bytes, but never leaves one out', async () => {
    const many = [request(1), request(2), request(3), request(4, 500), request(5)]
    const { calls, sent } = await run(many, { maxBodies: 2, maxBytes: 100 })
    expect(calls.map(({ bodies }) => bodies)).toEqual([2, 1, 1, 1])
    expect(sent).toEqual(many)
  })
})

describe('concurrency and stopping', () => {
  it('has no more calls under way than allowed', async () => {
    let underWay = 0
    let most = 0
    const send = async () => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay -= 1
    }
    const requests = Array.from({ length: 20 }, (_, i) => request(i))
    const { signal } = new AbortController()
    await replay(
      requests,
      { ...defaults, concurrency: 3 },
      { send, onSent: () => {}, signal, clock: createClock() },
    )
    expect(most).toBe(3)
  })

  it('stops on its signal and has counted exactly what was accepted', async () => {
    const controller = new AbortController()
    let accepted = 0
    let counted = 0
    const send = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      accepted += 1
      if (accepted === 5) controller.abort()
    }
    const onSent = () => {
      counted += 1
    }
    const outcome = await replay(
      endless(),
      { ...defaults, concurrency: 2 },
      { send, onSent, signal: controller.signal, clock: createClock() },
    )
    expect(outcome).toBe('stopped')
    expect(counted).toBe(accepted)
    expect(accepted).toBeLessThanOrEqual(6)
  })

  it('ends with the first error of a call, which is not counted as sent', async () => {
    let counted = 0
    const onSent = () => {
      counted += 1
    }
    const { signal } = new AbortController()
    await expect(
      replay(endless(), defaults, { send: failFourth, onSent, signal, clock: createClock() }),
    ).rejects.toThrow('broker gone')
    expect(counted).toBe(3)
  })
})
