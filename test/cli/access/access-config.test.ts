import { expect, test } from 'vitest'
import { parseAccessConfig } from '../../../services/cli/access/access-config.ts'
test('The users of a cluster are not made, and it says so', () => {
  const env = { SPANMETER_CLICKHOUSE_CLUSTER: 'main' }
  expect(() => parseAccessConfig(env)).toThrow(
    /SPANMETER_CLICKHOUSE_CLUSTER=main: .*deployment\.md/,
  )
})
