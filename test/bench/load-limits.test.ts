import { describe, expect, test } from 'vitest'
import { parseLimits, readLimits } from '../../bench/load-limits.ts'
import { WORKERS } from '../../services/cli/workers.ts'

const MIB = 2 ** 20

describe('Sizes', () => {
  test('are those that hold where no variable is set', () => {
    const limits = parseLimits(`services:
  kafka:
    environment: { KAFKA_HEAP_OPTS: '-Xmx\${HEAP:-384m}' }
    mem_limit: \${KAFKA_MEMORY:-704m}
  clickhouse: { mem_limit: 2g }
  ingest:
    environment:
      NODE_OPTIONS: --max-old-space-size=160
      SPANMETER_OTLP_MAX_INFLIGHT_BYTES: \${INFLIGHT:-33554432}
      SPANMETER_DIALECTS: \${DIALECTS:-}
      SPANMETER_KAFKA_BROKERS: kafka:19092
    mem_limit: 384m
`)
    expect(limits.memoryBytes).toEqual({
      kafka: 704 * MIB,
      clickhouse: 2_048 * MIB,
      ingest: 384 * MIB,
    })
    expect(limits.engines).toEqual({
      SPANMETER_KAFKA_HEAP: '384m',
      SPANMETER_CLICKHOUSE_MEMORY: '1536m',
    })
    expect(limits.envOf('ingest')).toEqual({
      NODE_OPTIONS: '--max-old-space-size=160',
      SPANMETER_OTLP_MAX_INFLIGHT_BYTES: '33554432',
    })
    expect(limits.envOf('sink')).toEqual({})
  })

  test('of every process are in the file that ships', () => {
    const limits = readLimits()
    const { memoryBytes, engines } = limits
    for (const name of [...WORKERS, 'kafka', 'clickhouse']) {
      expect(memoryBytes[name]).toBeGreaterThan(64 * MIB)
    }
    for (const size of Object.values(engines)) expect(size).toMatch(/^[1-9]\d+m$/)
    for (const name of WORKERS) {
      expect(limits.envOf(name)['NODE_OPTIONS']).toMatch(/--max-old-space-size=\d+/)
    }
    expect(Object.keys(limits.envOf('ingest'))).toContain('SPANMETER_OTLP_MAX_INFLIGHT_BYTES')
  })
})
