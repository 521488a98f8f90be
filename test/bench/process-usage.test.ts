import { describe, expect, test } from 'vitest'
import { parseCpuTicks, parseMachineTicks, parsePeakBytes } from '../../bench/process-usage.ts'

describe('/proc', () => {
  test('user and system time are found behind a name with blanks and brackets', () => {
    const stat = '42 (odd ) name) S 1 42 42 0 -1 4194304 10 0 0 0 150 25 0 0 20 0 11 0 100 1 1'
    expect(parseCpuTicks(stat)).toBe(175)
  })

  test('peak memory is VmHWM', () => {
    expect(
      parsePeakBytes('Name:\tnode\nVmPeak:\t  900 kB\nVmHWM:\t  512 kB\nVmRSS:\t 100 kB\n'),
    ).toBe(524_288)
  })

  test('waiting for a disk is idle time, and guests count once', () => {
    const stat = 'cpu  100 10 50 1000 40 5 5 2 30 3\ncpu0 1 1 1 1 1 1 1 1 1 1\n'
    expect(parseMachineTicks(stat)).toEqual({ busy: 172, total: 1_212 })
  })

  test('what is none of these files is refused', () => {
    expect(() => parseCpuTicks('')).toThrow(RangeError)
    expect(() => parsePeakBytes('Name: node')).toThrow(RangeError)
    expect(() => parseMachineTicks('intr 5')).toThrow(RangeError)
  })
})
