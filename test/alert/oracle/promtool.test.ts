import { describe, expect, test } from 'vitest'
import { AlertLab, type LabRecord, spanRow } from '../../support/alert-lab.ts'
import { DAY, MINUTE, readRules } from '../rule-texts.ts'
import { askPromtool, type Firing, hasPromtool } from './promtool.ts'
import { randomSeries, type Sample, type Series } from './random-series.ts'
import { type Scenario, SCENARIOS } from './scenarios.ts'

const SEED = 20_260_617
const START = Date.parse('2026-06-17T00:00:00Z')
const PICO_PER_CENT = 10_000_000_000n
const isHere = hasPromtool()

/** The calls of a bucket, spread over it; the first one costs all of it. */
function rowsOf(service: string, startMs: number, stepMs: number, sample: Sample): LabRecord[] {
  return Array.from({ length: sample.count }, (_, i) =>
    spanRow(startMs + Math.floor((i * stepMs) / sample.count), {
      texts: { service, error_type: i < sample.bad ? 'timeout' : '' },
      values: { cost: i === 0 ? BigInt(sample.cents) * PICO_PER_CENT : 0n },
    }),
  )
}

/** Minutes as promtool writes them. */
function clock(minutes: number): string {
  const hours = Math.floor(minutes / 60)
  return `${hours > 0 ? `${hours}h` : ''}${minutes % 60}m`
}

/** Runs the series through both stages; gives when rules fire, as minutes since the start. */
function firingsOf(scenario: Scenario, series: readonly Series[]): readonly Firing[] {
  const { stepMinutes, buckets } = scenario
  const stepMs = stepMinutes * MINUTE
  const lab = new AlertLab(readRules(`rules:${scenario.rules}`))
  for (let i = 0; i < buckets; i++) {
    const records = series.flatMap(({ service, samples }) => {
      const sample = samples[i]
      return sample === undefined ? [] : rowsOf(service, START + i * stepMs, stepMs, sample)
    })
    lab.send(records)
  }
  lab.reach(START + buckets * stepMs)
  const firings = new Map<string, Firing>()
  for (const { rule, level, group, state, incident_id, time_unix_nano } of lab.alerts) {
    const minute = (Number(time_unix_nano / 1_000_000n) - START) / MINUTE
    const before = firings.get(incident_id)
    const { service = '' } = group
    if (state === 'firing' && before === undefined) {
      const name = level === '' ? rule : `${rule}/${level}`
      firings.set(incident_id, { rule: name, service, from: minute, to: Infinity })
    } else if (state === 'resolved' && before !== undefined) {
      firings.set(incident_id, { ...before, to: minute })
    }
  }
  return [...firings.values()]
}

describe.skipIf(!isHere)(
  `Prometheus fires and resolves at the same minutes${isHere ? '' : ' (skipped: promtool of the Debian package prometheus, 2.42 or later, is not installed)'}`,
  () => {
    test.each(SCENARIOS)(
      '$series series: $name',
      (scenario) => {
        const series = Array.from({ length: scenario.series }, (_, i) =>
          randomSeries(SEED + i, scenario.buckets, scenario.longestPhase),
        )
        const firings = firingsOf(scenario, series)
        // Nothing is compared where nothing happens.
        const rare = scenario.alerts.filter(({ rule }) => {
          const ended = firings.filter((one) => one.rule === rule && one.to < Infinity)
          return ended.length <= scenario.series / 10
        })
        expect(rare).toEqual([])
        expect(askPromtool(scenario, series, firings)).toBe('')
      },
      120_000,
    )

    test('and a firing that is a minute off is told of', () => {
      const [scenario] = SCENARIOS
      if (scenario === undefined) throw new Error('there is no scenario')
      const series = [randomSeries(SEED, scenario.buckets, scenario.longestPhase)]
      const [first, ...others] = firingsOf(scenario, series)
      if (first === undefined) throw new Error('this series does not fire')
      const early = askPromtool(scenario, series, [{ ...first, from: first.from - 1 }, ...others])
      expect(early).toBe(
        `${clock(first.from - 1)} ${first.rule} ${first.service}: only Spanmeter fires`,
      )
      const long = askPromtool(scenario, series, [{ ...first, to: first.to + 1 }, ...others])
      expect(long).toBe(`${clock(first.to)} ${first.rule} ${first.service}: only Spanmeter fires`)
    })
  },
)

test('The longest of these series is no shorter than what rules look back at', () => {
  const looked = SCENARIOS.map(({ buckets, stepMinutes }) => buckets * stepMinutes * MINUTE)
  expect(Math.max(...looked)).toBeGreaterThan(3 * DAY)
})
