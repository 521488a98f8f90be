import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  commaList,
  commonVariables,
  ConfigError,
  parseCommonConfig,
  readVariables,
  wholeNumber,
} from '../../services/runtime/config.ts'

describe('The variables that every process reads', () => {
  test('have defaults for one machine', () => {
    expect(parseCommonConfig({})).toEqual({
      kafka: { brokers: ['127.0.0.1:9092'], topicPrefix: '', sessionTimeoutMs: 10_000 },
      clickhouse: {
        url: 'http://127.0.0.1:8123',
        user: 'default',
        password: '',
        database: 'spanmeter',
      },
      metricsHost: '127.0.0.1',
      logLevel: 'info',
    })
  })

  test('are read', () => {
    const config = parseCommonConfig({
      SPANMETER_KAFKA_BROKERS: 'a:1, b:2,,',
      SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '30000',
      SPANMETER_TOPIC_PREFIX: 'eu-1.',
      SPANMETER_CLICKHOUSE_URL: 'https://ch.example.com:8443',
      SPANMETER_CLICKHOUSE_USER: 'writer',
      SPANMETER_CLICKHOUSE_PASSWORD: 's3cret',
      SPANMETER_CLICKHOUSE_DATABASE: 'telemetry',
      SPANMETER_METRICS_HOST: '0.0.0.0',
      SPANMETER_LOG_LEVEL: 'warn',
    })
    expect(config).toEqual({
      kafka: { brokers: ['a:1', 'b:2'], topicPrefix: 'eu-1.', sessionTimeoutMs: 30_000 },
      clickhouse: {
        url: 'https://ch.example.com:8443',
        user: 'writer',
        password: 's3cret',
        database: 'telemetry',
      },
      metricsHost: '0.0.0.0',
      logLevel: 'warn',
    })
  })

  test('move the embedded engines to other ports', () => {
    const config = parseCommonConfig({
      SPANMETER_KAFKA_PORT: '19092',
      SPANMETER_CLICKHOUSE_HTTP_PORT: '18123',
    })
    expect(config.kafka.brokers).toEqual(['127.0.0.1:19092'])
    expect(config.clickhouse.url).toBe('http://127.0.0.1:18123')
  })

  test('count as unset when they are empty or blank', () => {
    expect(parseCommonConfig({ SPANMETER_KAFKA_BROKERS: '', SPANMETER_LOG_LEVEL: '  ' })).toEqual(
      parseCommonConfig({}),
    )
  })

  test.each([
    ['SPANMETER_KAFKA_PORT', '0', 'must be at least 1'],
    ['SPANMETER_KAFKA_PORT', '65536', 'must be at most 65535'],
    ['SPANMETER_KAFKA_PORT', '90.5', 'must be a whole number'],
    ['SPANMETER_KAFKA_PORT', 'http', 'must be a whole number'],
    ['SPANMETER_CLICKHOUSE_URL', 'tcp://host:9000', 'must be an http:// or https:// address'],
    ['SPANMETER_CLICKHOUSE_URL', 'host', 'must be an http:// or https:// address'],
    ['SPANMETER_CLICKHOUSE_DATABASE', 'a-b', 'must be a plain identifier'],
    ['SPANMETER_TOPIC_PREFIX', 'a/b', 'may hold letters, digits'],
    ['SPANMETER_LOG_LEVEL', 'loud', 'Invalid option'],
  ])('%s=%s is refused: %s', (name, value, message) => {
    expect(() => parseCommonConfig({ [name]: value })).toThrow(ConfigError)
    expect(() => parseCommonConfig({ [name]: value })).toThrow(message)
    expect(() => parseCommonConfig({ [name]: value })).toThrow(`${name}=${value}: `)
  })

  test('are described, each in a sentence', () => {
    for (const type of Object.values(commonVariables)) {
      expect(type.description ?? '').toMatch(/^[A-Z].*\.$/)
    }
  })
})

test('Every bad variable is named at once', () => {
  const shape = { A: wholeNumber(1, 9), B: wholeNumber(1, 9), C: z.string() }
  let message = ''
  try {
    readVariables(shape, { A: '10', B: '5', D: 'unknown' })
  } catch (error) {
    message = error instanceof ConfigError ? error.message : 'another error'
  }
  expect(message).toMatch(/^Configuration is not valid:\n {2}A=10: .*\n {2}C=: .*$/)
})

test('A list is split at commas, and its empty parts are dropped', () => {
  expect(commaList().parse(' a , ,b,')).toEqual(['a', 'b'])
})
