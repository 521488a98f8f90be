import { describe, expect, test } from 'vitest'
import { backoffMs, retry, type RetryOptions } from '../../services/runtime/retry.ts'

const BACKOFF = { firstMs: 100, maxMs: 2_000 }

test.each([
  [0, 100],
  [1, 200],
  [2, 400],
  [4, 1_600],
  [5, 2_000],
  [6, 2_000],
  [100_000, 2_000],
])('Try number %d waits at most %d ms, and at least half of that', (attempt, full) => {
  expect(backoffMs(attempt, BACKOFF, () => 0)).toBe(full)
  expect(backoffMs(attempt, BACKOFF, () => 1)).toBe(full / 2)
})

/** A task that fails as often as there are errors, and what was seen of it. */
function failing(errors: readonly Error[], more: Partial<RetryOptions> = {}) {
  const waits: number[] = []
  const seen: unknown[] = []
  let calls = 0
  const done = retry(
    async () => {
      const error = errors[calls++]
      if (error !== undefined) throw error
      return 'done'
    },
    {
      backoff: { firstMs: 1, maxMs: 3 },
      isTransient: (error) => error instanceof RangeError,
      async onRetry(error, waitMs) {
        seen.push(error)
        waits.push(waitMs)
      },
      signal: new AbortController().signal,
      random: () => 0,
      ...more,
    },
  )
  return { done, waits, seen, calls: () => calls }
}

describe('A task', () => {
  test('that succeeds is called once', async () => {
    const task = failing([])
    expect(await task.done).toBe('done')
    expect([task.calls(), task.seen]).toEqual([1, []])
  })

  test('is called until it succeeds, after waits that grow up to the cap', async () => {
    const errors = Array.from({ length: 4 }, (_, i) => new RangeError(String(i)))
    const task = failing(errors)
    expect(await task.done).toBe('done')
    expect([task.calls(), task.waits, task.seen]).toEqual([5, [1, 2, 3, 3], errors])
  })

  test('that fails for good fails at once', async () => {
    const bug = new TypeError('a bug')
    const task = failing([new RangeError('transient'), bug])
    await expect(task.done).rejects.toBe(bug)
    expect([task.calls(), task.seen.length]).toEqual([2, 1])
  })

  test('is given up when onRetry throws', async () => {
    const lost = new Error('lost')
    const onRetry = () => Promise.reject(lost)
    const task = failing([new RangeError('transient')], { onRetry })
    await expect(task.done).rejects.toBe(lost)
    expect(task.calls()).toBe(1)
  })

  test('is not called again after the signal', async () => {
    const stop = new AbortController()
    const error = new RangeError('transient')
    const task = failing([error], { signal: AbortSignal.abort() })
    await expect(task.done).rejects.toBe(error)
    const waiting = failing([error], {
      backoff: { firstMs: 60_000, maxMs: 60_000 },
      signal: stop.signal,
      async onRetry() {
        setImmediate(() => stop.abort())
      },
    })
    await expect(waiting.done).rejects.toMatchObject({ name: 'AbortError' })
    expect(waiting.calls()).toBe(1)
  })
})
