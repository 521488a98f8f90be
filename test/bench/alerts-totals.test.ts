import { describe, expect, test } from 'vitest'
import { parseStreamsTotals, requireSameTotals } from '../../bench/alerts-totals.ts'
import { BenchError } from '../../bench/bench-error.ts'

const LINE =
  '{"aa":{"windows":3,"count":5,"bad":1,"binned":0,"sum":"92233720368547758070"},' +
  '"bb":{"windows":0,"count":0,"bad":0,"binned":0,"sum":"0"}}'
const totals = parseStreamsTotals(LINE)

test('a line of totals is read, with sums beyond the whole numbers of a double', () => {
  expect(totals.get('aa')).toEqual({
    count: 5n,
    bad: 1n,
    sum: 92_233_720_368_547_758_070n,
    binned: 0n,
  })
})

test('a line that holds something else is not taken for totals', () => {
  expect(() => parseStreamsTotals('{"aa":{"count":5}}')).toThrow(/invalid/i)
})

describe('requireSameTotals', () => {
  test('takes a series that counted nothing for one that is not there', () => {
    const ours = new Map([...totals].filter(([id]) => id === 'aa'))
    expect(() => requireSameTotals(ours, totals, 'Kafka Streams')).not.toThrow()
  })

  test.each(['count', 'bad', 'sum', 'binned'] as const)(
    'names a series whose %s differs',
    (field) => {
      const own = totals.get('aa')
      if (own === undefined) throw new Error('the line has it')
      const ours = new Map([['aa', { ...own, [field]: own[field] + 1n }]])
      expect(() => requireSameTotals(ours, totals, 'Kafka Streams')).toThrow(BenchError)
      expect(() => requireSameTotals(ours, totals, 'Kafka Streams')).toThrow(/aa: .*Kafka Streams/)
    },
  )

  test('is not content with both having counted nothing', () => {
    expect(() => requireSameTotals(new Map(), new Map(), 'Kafka Streams')).toThrow(/not? .*span/i)
  })
})
