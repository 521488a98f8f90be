import { describe, expect, test } from 'vitest'
import { ConfigError } from '#runtime/config.ts'
import { parseConfig } from '../../services/sink/config.ts'

const SHARDS = 'SPANMETER_CLICKHOUSE_SHARD_URLS'

describe('The shards that are written to', () => {
  test('are the one ClickHouse, where nothing is said', () => {
    const { shardUrls } = parseConfig({ SPANMETER_CLICKHOUSE_URL: 'http://db:8123' })
    expect(shardUrls).toEqual(['http://db:8123'])
  })

  test('keep their order, which says what partition goes where', () => {
    const { shardUrls } = parseConfig({ [SHARDS]: 'http://b:8123, https://a:8443' })
    expect(shardUrls).toEqual(['http://b:8123', 'https://a:8443'])
  })

  test.each(['b:8123', 'http://', 'http://b:8123,ftp://a'])('are addresses, not %s', (urls) => {
    expect(() => parseConfig({ [SHARDS]: urls })).toThrow(ConfigError)
    expect(() => parseConfig({ [SHARDS]: urls })).toThrow(SHARDS)
  })
})
