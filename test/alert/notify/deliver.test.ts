import { describe, expect, test } from 'vitest'
import { deliver, type DeliverOptions } from '../../../services/alert/notify/deliver.ts'
import type { Sent } from '../../../services/alert/notify/sender.ts'
import { LostPartitionError } from '../../../services/runtime/records.ts'
import { alertOf, NOON_MS } from './samples.ts'

const delivered: Sent = { type: 'delivered', status: 200 }
const again = (rest: Partial<Extract<Sent, { type: 'again' }>> = {}): Sent => ({
  type: 'again',
  status: 500,
  detail: 'HTTP 500',
  afterMs: 0,
  isUnknown: false,
  ...rest,
})
const lost = again({ status: 0, detail: 'reset', isUnknown: true })

/** Delivers with tries that end as told, the last one for ever; time passes by waiting alone. */
async function run(
  results: readonly Sent[],
  rest: Partial<DeliverOptions> = {},
  onLog: (entry: string, log: readonly string[]) => void = () => {},
) {
  const log: string[] = []
  const note = (entry: string) => {
    log.push(entry)
    onLog(entry, log)
  }
  let nowMs = NOON_MS
  let tries = 0
  const outcome = await deliver(alertOf(), {
    sender: {
      dedupKey: () => '',
      send: async (_, { mayHaveArrived }) => {
        note(mayHaveArrived ? 'send, not for the first time' : 'send')
        return results[Math.min(tries++, results.length - 1)] ?? delivered
      },
    },
    giveUpAfterMs: 3_600_000,
    control: {
      checkpoint: () => '',
      markPending: async () => note('mark'),
      clearPending: async () => note('clear'),
      untilDone: (task) => task(),
    },
    clock: {
      now: () => nowMs,
      wait: async (ms) => {
        note(`wait ${ms}`)
        nowMs += ms
      },
    },
    random: () => 0,
    signal: new AbortController().signal,
    recordMs: NOON_MS,
    mayHaveArrived: false,
    isAlone: true,
    onRetry: () => undefined,
    ...rest,
  })
  return { outcome, log, tookMs: nowMs - NOON_MS }
}

describe('A delivery', () => {
  test('is noted before it is tried', async () => {
    const { outcome, log } = await run([delivered])
    expect(outcome).toEqual({ outcome: 'delivered', attempts: 1, status: 200, detail: '' })
    expect(log).toEqual(['mark', 'send'])
  })

  test('is tried again after server errors, with longer waits and no note while it waits', async () => {
    const { outcome, log } = await run([again(), again(), delivered])
    expect(outcome).toEqual({ outcome: 'delivered', attempts: 3, status: 200, detail: '' })
    const first = ['mark', 'send', 'clear', 'wait 1000']
    expect(log).toEqual([...first, 'mark', 'send', 'clear', 'wait 2000', 'mark', 'send'])
  })

  test('keeps the note while it may have arrived', async () => {
    const { log } = await run([lost, delivered])
    expect(log).toEqual([
      'mark',
      'send',
      'mark',
      'wait 1000',
      'mark',
      'send, not for the first time',
    ])
  })

  test('keeps the note where others of the record may have been told', async () => {
    const { log } = await run([again(), delivered], { isAlone: false })
    expect(log).toEqual(['mark', 'send', 'mark', 'wait 1000', 'mark', 'send'])
  })

  test('takes the note back when the receiver says that nothing arrived', async () => {
    const { log } = await run([again(), delivered], { mayHaveArrived: true })
    const first = 'send, not for the first time'
    expect(log).toEqual(['mark', first, 'clear', 'wait 1000', 'mark', 'send'])
  })

  test('waits as long as the receiver asks, and looks around meanwhile', async () => {
    const { log } = await run([again({ afterMs: 12_000 }), delivered])
    const look = ['clear', 'wait 5000', 'clear', 'wait 5000', 'clear', 'wait 2000']
    expect(log).toEqual(['mark', 'send', ...look, 'mark', 'send'])
  })

  test('is given up when time is up', async () => {
    const { outcome, tookMs } = await run([again({ detail: 'HTTP 503' })], {
      giveUpAfterMs: 600_000,
    })
    expect(outcome).toMatchObject({ outcome: 'failed', status: 500, detail: 'given up: HTTP 503' })
    // 1, 2, 4 … 32 seconds, and then one each minute.
    expect(outcome.attempts).toBe(15)
    expect(tookMs).toBe(63_000 + 8 * 60_000)
  })

  test('is given up at once where the receiver asks for more time than there is', async () => {
    const { outcome } = await run([again({ afterMs: 3_600_001 })])
    expect(outcome).toMatchObject({ outcome: 'failed', attempts: 1 })
  })

  test.each<[Sent, object]>([
    [
      { type: 'failed', status: 400, detail: 'HTTP 400' },
      { outcome: 'failed', attempts: 1, status: 400, detail: 'HTTP 400' },
    ],
    [
      { type: 'refused', status: 0, detail: 'private' },
      { outcome: 'refused', attempts: 1, status: 0, detail: 'private' },
    ],
  ])('is not tried again after %j', async (sent, expected) => {
    expect((await run([sent, delivered])).outcome).toEqual(expected)
  })

  test('ends when it is told to, between tries', async () => {
    const stopping = new AbortController()
    const logs: string[] = []
    const stopped = run([again()], { signal: stopping.signal }, (entry) => {
      logs.push(entry)
      if (entry.startsWith('wait')) stopping.abort()
    })
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' })
    expect(logs).toEqual(['mark', 'send', 'clear', 'wait 1000'])
  })

  test('ends when the partition went elsewhere, in the middle of a wait', async () => {
    const logs: string[] = []
    const ended = run([again({ afterMs: 60_000 })], {}, (entry, log) => {
      logs.push(entry)
      if (log.filter((one) => one === 'clear').length === 3) throw new LostPartitionError('gone')
    })
    await expect(ended).rejects.toThrow('gone')
    expect(logs).toEqual(['mark', 'send', 'clear', 'wait 5000', 'clear', 'wait 5000', 'clear'])
  })
})
