import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { databaseWith, dropDatabases, spanmeter } from './trace-database.ts'

afterAll(dropDatabases)

describe('An annotation', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await databaseWith([])
  })

  const stored = () =>
    clickhouse.query(
      `SELECT kind, title, text, tenant, environment, tags, id, toString(time) AS time, end_time
       FROM annotations ORDER BY time, id`,
    )
  const annotate = (...args: readonly string[]) => spanmeter(clickhouse, ['annotate', ...args])

  test('is written once, however often and by how many at once', async () => {
    const deploy = [
      'It\'s "v1.4.2"',
      '--kind',
      'deploy',
      '--id',
      'deploy-1',
      '--tag',
      'version=1.4.2',
    ]
    const runs = await Promise.all(
      [1, 2, 3].map(() => annotate(...deploy, '--at', '2026-11-20T10:00')),
    )
    expect(runs.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ])
    const again = await annotate(...deploy)
    expect([again.code, again.out.includes('2026-11-20 10:00:00')]).toEqual([0, true])
    expect(await stored()).toEqual([
      {
        kind: 'deploy',
        title: 'deploy',
        text: 'It\'s "v1.4.2"',
        tenant: '',
        environment: '',
        tags: { version: '1.4.2' },
        id: 'deploy-1',
        time: '2026-11-20 10:00:00.000',
        end_time: null,
      },
    ])
  })

  test('does not take the id of another', async () => {
    const { code, err } = await annotate('something else', '--id', 'deploy-1')
    expect([code, err]).toEqual([
      1,
      'error: deploy-1 is there already with another kind: give another --id, or none\n',
    ])
  })

  test('of a stretch of time, a tenant and an environment is listed', async () => {
    const flags = [
      '--kind',
      'incident',
      '--title',
      'Outage',
      '--tenant',
      'acme',
      '--environment',
      'production',
    ]
    const times = [
      '--at',
      '2026-11-20T11:00',
      '--until',
      '2026-11-20T11:30',
      '--author',
      'ada',
      '--id',
      'i-1',
    ]
    expect((await annotate('Provider down', ...flags, ...times)).code).toBe(0)
    const { out } = await annotate('--list', '--json')
    expect(JSON.parse(out)).toMatchObject({
      annotations: [
        {
          id: 'i-1',
          kind: 'incident',
          time: '2026-11-20T11:00:00.000Z',
          endTime: '2026-11-20T11:30:00.000Z',
          tenant: 'acme',
          environment: 'production',
          title: 'Outage',
          text: 'Provider down',
          author: 'ada',
        },
        { id: 'deploy-1' },
      ],
    })
    const ofOthers = await annotate('--list', '--json', '--tenant', 'globex')
    expect(JSON.parse(ofOthers.out)).toMatchObject({ annotations: [{ id: 'deploy-1' }] })
  })
})
