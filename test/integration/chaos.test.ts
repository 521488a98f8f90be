import { expect, test } from 'vitest'
import { runChaos } from '../chaos/run.ts'

/**
 * Goal: twenty faults of all kinds over the whole pipeline lose nothing and double nothing. Method:
 * the run of `npm run chaos`, short; see docs/chaos.md. It starts engines of its own, behind proxies.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const FAULTS = 20
const TIMEOUT_MS = 300_000

test(
  `${FAULTS} faults lose nothing and double nothing (seed ${SEED})`,
  { timeout: TIMEOUT_MS },
  async () => {
    const report = await runChaos({
      seed: SEED,
      faults: FAULTS,
      meanPauseMs: 1_000,
      rowsPerSecond: 20,
      keep: false,
      without: new Set(),
      tell: () => undefined,
    })
    for (const { what, lost, doubled } of report.differences) {
      expect.soft({ what, lost, doubled }).toEqual({ what, lost: [], doubled: [] })
    }
    expect(report.crashes).toEqual({})
    expect(report.checks).toBeGreaterThan(20)
    expect(report.expectedSpans).toBeGreaterThan(1_000)
    expect(report.hit).toBeGreaterThan(FAULTS / 2)
  },
)
