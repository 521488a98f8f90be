import { describe, expect, test } from 'vitest'
import { createGroupedWriter, OverloadedError } from '../../services/runtime/grouped-writer.ts'
import type { NewRecord } from '../../services/runtime/records.ts'

const record = (text: string): NewRecord => ({
  partition: 0,
  key: null,
  value: Buffer.from(text),
  headers: {},
})

/** A grouped writer over one whose writes end when the test says so. */
function slowWriter({ maxQueuedBytes = 1_000, maxWriteBytes = 1_000 } = {}) {
  const clock = { nowMs: 0 }
  const under: { topic: string; texts: string[]; end: (error?: Error) => void }[] = []
  const writer = createGroupedWriter({
    maxQueuedBytes,
    maxWriteBytes,
    maxWaitMs: 2_000,
    now: () => clock.nowMs,
    writer: {
      write: (topic, records) =>
        new Promise((resolve, reject) => {
          under.push({
            topic,
            texts: records.map(({ value }) => value.toString()),
            end: (error) => (error === undefined ? resolve() : reject(error)),
          })
        }),
    },
  })
  const settled: string[] = []
  const write = async (topic: string, ...texts: string[]) => {
    try {
      await writer.write(topic, texts.map(record))
      settled.push(`${texts.join('')} written`)
    } catch (error) {
      settled.push(`${texts.join('')} ${error instanceof Error ? error.name : 'failed'}`)
    }
  }
  const texts = () => under.map((one) => one.texts.join(''))
  return { write, under, texts, settled, clock }
}

/** Lets promises that can go on do so. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('Writes of many callers', () => {
  test('that arrive while one is under way go out together, and in order', async () => {
    const { write, under, texts, settled } = slowWriter()
    const all = [write('t', 'a'), write('t', 'b', 'c'), write('t', 'd')]
    await turn()
    expect(texts()).toEqual(['a'])
    under[0]?.end()
    await turn()
    expect([texts(), settled]).toEqual([['a', 'bcd'], ['a written']])
    under[1]?.end()
    await Promise.all(all)
    expect(settled).toEqual(['a written', 'bc written', 'd written'])
  })

  test('are not mixed with those to another topic', async () => {
    const { write, under, texts } = slowWriter()
    const all = [write('t', 'a'), write('t', 'b'), write('u', 'c'), write('t', 'd')]
    for (let i = 0; i < 4; i++) {
      await turn()
      under[i]?.end()
    }
    await Promise.all(all)
    expect(texts()).toEqual(['a', 'b', 'c', 'd'])
    expect(under.map(({ topic }) => topic)).toEqual(['t', 't', 'u', 't'])
  })

  test('are cut where one write would hold too much, but never within a call', async () => {
    const { write, under, texts } = slowWriter({ maxWriteBytes: 4 })
    const all = [write('t', 'a'), write('t', 'bb', 'bb', 'bb'), write('t', 'cc'), write('t', 'dd')]
    for (let i = 0; i < 3; i++) {
      await turn()
      under[i]?.end()
    }
    await Promise.all(all)
    expect(texts()).toEqual(['a', 'bbbbbb', 'ccdd'])
  })

  test('fail together with the write that they went in, and the next one works', async () => {
    const { write, under, settled } = slowWriter()
    const all = [write('t', 'a'), write('t', 'b'), write('t', 'c')]
    await turn()
    under[0]?.end()
    await turn()
    under[1]?.end(new RangeError('no leader'))
    await Promise.all(all)
    const last = write('t', 'd')
    await turn()
    under[2]?.end()
    await last
    expect(settled).toEqual(['a written', 'b RangeError', 'c RangeError', 'd written'])
  })

  test('are refused beyond maxQueuedBytes, until there is room again', async () => {
    const { write, under, texts, settled } = slowWriter({ maxQueuedBytes: 4 })
    const first = write('t', 'aa')
    await write('t', 'bbb')
    expect(settled).toEqual([`bbb ${new OverloadedError('').name}`])
    const second = write('t', 'cc')
    await turn()
    under[0]?.end()
    await turn()
    under[1]?.end()
    await Promise.all([first, second])
    const third = write('t', 'ddd')
    await turn()
    under[2]?.end()
    await third
    expect(texts()).toEqual(['aa', 'cc', 'ddd'])
  })

  test('are taken one at a time however large, where nothing else waits', async () => {
    const { write, under, settled } = slowWriter({ maxQueuedBytes: 4 })
    const large = write('t', 'too large')
    await turn()
    under[0]?.end()
    await large
    expect(settled).toEqual(['too large written'])
  })

  test('are refused once one has waited for maxWaitMs, until it has had its turn', async () => {
    const { write, under, texts, settled, clock } = slowWriter()
    const first = [write('t', 'a'), write('t', 'b')]
    await turn()
    clock.nowMs = 2_000
    first.push(write('t', 'c'))
    clock.nowMs = 2_001
    await write('t', 'late')
    expect(settled).toEqual([`late ${new OverloadedError('').name}`])
    under[0]?.end()
    await turn()
    // The write of the second is under way: only what waits for its turn counts.
    clock.nowMs = 9_000
    first.push(write('t', 'd'))
    under[1]?.end()
    await turn()
    under[2]?.end()
    await Promise.all(first)
    expect(texts()).toEqual(['a', 'bc', 'd'])
  })

  test('are not refused for the time that a write of its own takes', async () => {
    const { write, under, settled, clock } = slowWriter()
    const first = write('t', 'a')
    await turn()
    clock.nowMs = 60_000
    const second = write('t', 'b')
    under[0]?.end()
    await turn()
    under[1]?.end()
    await Promise.all([first, second])
    expect(settled).toEqual(['a written', 'b written'])
  })
})
