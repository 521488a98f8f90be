import { describe, expect, it } from 'vitest'
import { parseWorkload } from '../../../services/cli/replay/csv.ts'

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens'
const parse = (...rows: string[]) => parseWorkload([header, ...rows].join('\n'), 'load.csv')

describe('parseWorkload', () => {
  it('keeps all 100 ns steps of the time', () => {
    expect(parse('2023-11-16 18:15:46.6805901,374,44')).toEqual([
      { timeNs: 1_700_158_546_680_590_100n, inputTokens: 374, outputTokens: 44 },
    ])
  })

  it('reads CRLF, a byte order mark, blank lines, ISO times and a UTC offset', () => {
    const text = `\uFEFF${header}\r\n2024-05-10T00:00:00Z,1,2\r\n\r\n2024-05-10 00:00:00.5+00:00,3,4\r\n`
    expect(parseWorkload(text, 'load.csv').map(({ timeNs }) => timeNs)).toEqual([
      1_715_299_200_000_000_000n,
      1_715_299_200_500_000_000n,
    ])
  })

  it('puts rows in order of time', () => {
    const rows = parse('2023-01-01 00:00:02,2,0', '2023-01-01 00:00:01,1,0')
    expect(rows.map(({ inputTokens }) => inputTokens)).toEqual([1, 2])
  })

  it.each([
    ['2023-11-16 18:15,1,2', 'TIMESTAMP is "2023-11-16 18:15"'],
    ['2023-02-30 00:00:00,1,2', 'TIMESTAMP is "2023-02-30 00:00:00"'],
    ['2023-11-16 18:15:46,-1,2', 'ContextTokens is "-1"'],
    ['2023-11-16 18:15:46,1,2.5', 'GeneratedTokens is "2.5"'],
    ['2023-11-16 18:15:46,1', '2 columns'],
  ])('names file and line of the bad row %s', (row, problem) => {
    expect(() => parse('2023-11-16 18:15:46,1,2', row)).toThrow(`load.csv:3: ${problem}`)
  })

  it('names the first ten bad rows and counts the rest', () => {
    const bad = Array.from({ length: 12 }, () => 'x,1,2')
    expect(() => parse(...bad)).toThrow(/load\.csv:2: [^]*load\.csv:11: [^]*and 2 more bad rows$/)
  })

  it('refuses another header and a file without rows', () => {
    expect(() => parseWorkload('a,b\n1,2', 'load.csv')).toThrow('load.csv:1: the header is "a,b"')
    expect(() => parse()).toThrow('load.csv: no rows')
  })
})
