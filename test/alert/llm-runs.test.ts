import { describe, expect, test } from 'vitest'
import { LlmRuns } from '../../services/alert/llm-runs.ts'

const [A, B] = [Buffer.from('a'), Buffer.from('b')]

function open(): { readonly runs: LlmRuns; readonly counted: string[] } {
  const counted: string[] = []
  return { counted, runs: new LlmRuns((batch) => counted.push(String(batch))) }
}

describe('A run', () => {
  test('is counted as it is committed, once', () => {
    const { runs, counted } = open()
    runs.written(3, [A, B])
    expect(counted).toEqual([])
    runs.committed(3)
    runs.committed(3)
    expect(counted).toEqual(['a', 'b'])
  })

  test('is of its partition', () => {
    const { runs, counted } = open()
    runs.written(1, [A])
    runs.written(2, [B])
    runs.committed(2)
    expect(counted).toEqual(['b'])
    runs.committed(1)
    expect(counted).toEqual(['b', 'a'])
  })

  test('that was not committed and comes again is counted once', () => {
    const { runs, counted } = open()
    runs.written(1, [A])
    runs.written(1, [A])
    runs.committed(1)
    expect(counted).toEqual(['a'])
  })

  test('that was not committed is not counted with one of repeats alone', () => {
    const { runs, counted } = open()
    runs.written(1, [A])
    runs.written(1, [])
    runs.committed(1)
    expect(counted).toEqual([])
  })

  test('of a partition that went elsewhere is not counted; the others stay', () => {
    const { runs, counted } = open()
    runs.written(1, [A])
    runs.written(2, [B])
    runs.assigned([2, 3])
    runs.committed(1)
    runs.committed(2)
    expect(counted).toEqual(['b'])
  })
})
