import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseEmbeddedConfig } from '../../services/embedded/config.ts'

describe('parseEmbeddedConfig', () => {
  it('starts both engines on their usual ports when nothing is set', () => {
    const config = parseEmbeddedConfig({ HOME: '/home/ada' })
    expect(config).toEqual({
      dataDir: join(process.cwd(), '.spanmeter'),
      cacheDir: '/home/ada/.cache/spanmeter',
      brokers: ['127.0.0.1:9092'],
      clickhouseUrl: 'http://127.0.0.1:8123',
      startDeadlineMs: 120_000,
      kafka: { port: 9092, controllerPort: undefined, heapBytes: 512 * 2 ** 20 },
      clickhouse: { httpPort: 8123, nativePort: 9000, memoryBytes: 4 * 2 ** 30 },
    })
  })

  it('does not start an engine that a variable points to', () => {
    const config = parseEmbeddedConfig({
      SPANMETER_KAFKA_BROKERS: 'a:1, b:2',
      SPANMETER_CLICKHOUSE_URL: 'http://c:3',
    })
    expect(config.kafka).toBeUndefined()
    expect(config.clickhouse).toBeUndefined()
    expect(config.brokers).toEqual(['a:1', 'b:2'])
    expect(config.clickhouseUrl).toBe('http://c:3')
  })

  it.each(['512', '0m', '1t', '-1g', 'm'])('rejects %s as a size of memory', (size) => {
    expect(() => parseEmbeddedConfig({ SPANMETER_KAFKA_HEAP: size })).toThrow(
      /SPANMETER_KAFKA_HEAP.*512m or 4g/,
    )
  })

  it('rejects two engines on one port and names both variables', () => {
    expect(() => parseEmbeddedConfig({ SPANMETER_CLICKHOUSE_NATIVE_PORT: '9092' })).toThrow(
      /SPANMETER_CLICKHOUSE_NATIVE_PORT=9092: is also the value of SPANMETER_KAFKA_PORT/,
    )
  })

  it('lets a port of an engine that is not started be used by the other', () => {
    const config = parseEmbeddedConfig({
      SPANMETER_KAFKA_BROKERS: 'a:1',
      SPANMETER_CLICKHOUSE_NATIVE_PORT: '9092',
    })
    expect(config.clickhouse?.nativePort).toBe(9092)
  })
})
