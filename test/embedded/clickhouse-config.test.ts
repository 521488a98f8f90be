import { describe, expect, it } from 'vitest'
import {
  serverXml,
  usersXml,
  type ClickHouseUser,
} from '../../services/embedded/clickhouse-config.ts'

const viewer: ClickHouseUser = {
  name: 'viewer',
  passwordSha256: 'ab12',
  networks: ['::/0'],
  readOnly: true,
  grants: ['GRANT SELECT ON spanmeter.*'],
  filters: [
    { database: 'spanmeter', table: 'spans', condition: "tenant = 'a&b' AND cost < 5" },
    { database: 'spanmeter', table: 'alerts', condition: '1' },
  ],
}

describe('serverXml', () => {
  const xml = serverXml({
    folder: '/data/a<b',
    usersFile: '/users.xml',
    logFile: '/log',
    httpPort: 1111,
    nativePort: 2222,
    memoryBytes: 3333,
  })

  it('listens on loopback with the given ports and memory', () => {
    expect(xml).toContain('<listen_host>127.0.0.1</listen_host>')
    expect(xml).toContain('<http_port>1111</http_port>')
    expect(xml).toContain('<tcp_port>2222</tcp_port>')
    expect(xml).toContain('<max_server_memory_usage>3333</max_server_memory_usage>')
  })

  it('escapes paths', () => {
    expect(xml).toContain('<tmp_path>/data/a&lt;b/tmp/</tmp_path>')
  })
})

describe('usersXml', () => {
  it('lets default in without a password from loopback only', () => {
    expect(usersXml([])).toContain(
      '<default><password></password><networks><ip>127.0.0.1</ip><ip>::1</ip></networks>',
    )
  })

  it('gives a user its networks, profile and grants', () => {
    expect(usersXml([viewer])).toContain(
      '<viewer><password_sha256_hex>ab12</password_sha256_hex><networks><ip>::/0</ip></networks>' +
        '<profile>read_only</profile><quota>default</quota>' +
        '<grants><query>GRANT SELECT ON spanmeter.*</query></grants>',
    )
  })

  it('puts all row filters of a database together and escapes them', () => {
    expect(usersXml([viewer])).toContain(
      '<databases><spanmeter>' +
        "<spans><filter>tenant = 'a&amp;b' AND cost &lt; 5</filter></spans>" +
        '<alerts><filter>1</filter></alerts>' +
        '</spanmeter></databases>',
    )
  })

  it('refuses a name that would break out of its tag', () => {
    expect(() => usersXml([{ ...viewer, name: 'a><b' }])).toThrow(/cannot stand/)
  })
})
