import { defineConfig } from 'vitest/config'

/** Thousands of random runs of alerts, and those through Prometheus: too long to wait for at each change. */
const LONG = [
  'test/alert/oracle/**/*.test.ts',
  'test/alert/{crashes,many-users,shuffle}.test.ts',
  'test/alert/shipped/false-alarms.test.ts',
]

/**
 * Unit tests need no engine, and neither do the long ones; integration tests share one real Kafka and one real ClickHouse, booted
 * once, and so do those with Python's SDKs, which run by themselves.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/python/**', ...LONG],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'long',
          include: LONG,
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/engines.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'python',
          include: ['test/python/**/*.test.ts'],
          globalSetup: ['test/python/environments.ts', 'test/integration/engines.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
