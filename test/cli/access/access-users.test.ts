import { describe, expect, test } from 'vitest'
import type { AccessConfig } from '../../../services/cli/access/access-config.ts'
import { accessUsers } from '../../../services/cli/access/access-users.ts'

const NOBODY: AccessConfig = {
  database: 'db',
  migrator: undefined,
  writer: undefined,
  grafana: undefined,
  readers: [],
  limits: { seconds: 60, memoryBytes: 1_000, rows: 2_000, bytes: 3_000, resultRows: 4_000 },
}
const tenant = (...tenants: readonly string[]) => ({
  name: 'acme',
  tenants,
  passwordSha256: 'ab',
  networks: ['10.0.0.0/8'],
})
const only = (config: Partial<AccessConfig>) => {
  const [user] = accessUsers({ ...NOBODY, ...config }).users
  if (user === undefined) throw new Error('no user was made')
  return user
}

describe('Users of ClickHouse', () => {
  test('are made for those who have a password', () => {
    expect(accessUsers(NOBODY).users).toEqual([])
    const config = { ...NOBODY, migrator: 'a', grafana: 'b', readers: [tenant('acme')] }
    expect(accessUsers(config).users.map(({ name }) => name)).toEqual([
      'migrator',
      'grafana',
      'acme',
    ])
  })

  test('who are viewers read the database under limits, without filters', () => {
    const viewer = { ...tenant(), tenants: undefined }
    expect(only({ readers: [viewer] })).toEqual({
      name: 'acme',
      passwordSha256: 'ab',
      networks: ['10.0.0.0/8'],
      profile: 'reader',
      grants: ['GRANT SELECT ON db.*'],
      filters: [],
    })
  })

  test('who are tenants have a filter on every table that they may read', () => {
    const { grants, filters } = only({ readers: [tenant('acme', "o'\\x")] })
    const condition = "tenant IN ('acme', 'o\\'\\\\x')"
    expect(filters).toContainEqual({ database: 'db', table: 'spans', condition })
    expect(filters).toContainEqual({ database: 'db', table: 'requests_by_model_1h', condition })
    expect(filters).toContainEqual({
      database: 'db',
      table: 'alerts',
      condition: "group['tenant'] IN ('acme', 'o\\'\\\\x')",
    })
    expect(grants).toEqual(
      expect.arrayContaining(
        filters
          .filter(({ database }) => database === 'db')
          .map(({ table }) => `GRANT SELECT ON db.${table}`),
      ),
    )
    expect(grants).toContain('GRANT SELECT ON db.evaluated_spans')
    for (const closed of [
      'dead_letters',
      'alert_deliveries',
      'schema_migrations',
      'spans_landing',
      'spans_mv',
    ]) {
      expect(grants).not.toContain(`GRANT SELECT ON db.${closed}`)
    }
  })

  test('who are tenants find nothing in the functions that read indexes', () => {
    const { filters } = only({ readers: [tenant('acme')] })
    const closed = { database: '_table_function', table: 'mergeTreeIndex', condition: '0' }
    expect(filters).toContainEqual(closed)
  })

  test('who write may insert where records arrive, and read no spans', () => {
    const { grants, profile } = only({ writer: 'a' })
    expect(profile).toBe('default')
    expect(grants).toEqual(
      expect.arrayContaining([
        'GRANT INSERT ON db.spans_landing',
        'GRANT SELECT ON db.spans_landing',
        'GRANT SELECT ON db.requests_by_model_1m',
      ]),
    )
    expect(
      grants.filter((grant) => /\.(?:spans|span_content|evaluations|\*)$/.test(grant)),
    ).toEqual([])
  })

  test('who migrate may use the engines that statements name, and no other', () => {
    const { grants } = only({ migrator: 'a' })
    for (const engine of [
      'MergeTree',
      'AggregatingMergeTree',
      'ReplacingMergeTree',
      'Null',
      'Join',
    ]) {
      expect(grants).toContain(`GRANT TABLE ENGINE ON ${engine}`)
    }
    expect(grants.join()).not.toMatch(/URL|File|\*\.\*/)
  })

  test('who read are bound by the limits, and may be asked five seconds more by clients', () => {
    const [profile] = accessUsers(NOBODY).profiles
    expect(profile?.settings).toEqual(
      expect.arrayContaining([
        { name: 'readonly', value: 2 },
        { name: 'max_execution_time', value: 60, min: 1, max: 65 },
        { name: 'max_memory_usage', value: 1_000, min: 1, max: 1_000 },
        { name: 'max_rows_to_read', value: 2_000, min: 1, max: 2_000 },
        { name: 'max_bytes_to_read', value: 3_000, min: 1, max: 3_000 },
        { name: 'max_result_rows', value: 4_000, min: 1, max: 4_000 },
      ]),
    )
  })
})
