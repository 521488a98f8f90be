import { describe, expect, it } from 'vitest'
import { type ClickHouseUser, usersXml } from '../../services/embedded/users-xml.ts'

const viewer: ClickHouseUser = {
  name: 'viewer',
  passwordSha256: 'ab12',
  networks: ['::/0'],
  profile: 'reader',
  grants: ['GRANT SELECT ON spanmeter.*'],
  filters: [
    { database: 'spanmeter', table: 'spans', condition: "tenant = 'a&b' AND cost < 5" },
    { database: 'spanmeter', table: 'alerts', condition: '1' },
  ],
}
const xmlOf = (users: readonly ClickHouseUser[], localAdmin = true): string =>
  usersXml({ users, profiles: [], localAdmin })

describe('usersXml', () => {
  it('lets default in without a password from loopback only', () => {
    expect(xmlOf([])).toContain(
      '<default><password></password><networks><ip>127.0.0.1</ip><ip>::1</ip></networks>',
    )
  })

  it('leaves default out where nobody is to administer', () => {
    expect(xmlOf([viewer], false)).not.toContain('<password></password>')
  })

  it('gives a user its networks, profile and grants', () => {
    expect(xmlOf([viewer])).toContain(
      '<viewer><password_sha256_hex>ab12</password_sha256_hex><networks><ip>::/0</ip></networks>' +
        '<profile>reader</profile><quota>default</quota>' +
        '<grants><query>GRANT SELECT ON spanmeter.*</query></grants>',
    )
  })

  it('refuses a user without grants, who might do everything', () => {
    expect(() => xmlOf([{ ...viewer, grants: [] }])).toThrow('viewer has no grants')
  })

  it('puts all row filters of a database together and escapes them', () => {
    expect(xmlOf([viewer])).toContain(
      '<databases><spanmeter>' +
        "<spans><filter>tenant = 'a&amp;b' AND cost &lt; 5</filter></spans>" +
        '<alerts><filter>1</filter></alerts>' +
        '</spanmeter></databases>',
    )
  })

  it('gives a profile its settings and how far they may be changed', () => {
    const settings = [
      { name: 'readonly', value: 2 },
      { name: 'max_execution_time', value: 60, min: 1, max: 65 },
      { name: 'log_queries', value: 1, fixed: true },
    ]
    const profiles = [{ name: 'reader', settings }]
    expect(usersXml({ users: [], profiles, localAdmin: false })).toContain(
      '<reader><readonly>2</readonly><max_execution_time>60</max_execution_time><log_queries>1</log_queries>' +
        '<constraints><max_execution_time><min>1</min><max>65</max></max_execution_time>' +
        '<log_queries><const></const></log_queries></constraints></reader>',
    )
  })

  it.each(['a><b', 'a.b', '1a', ''])('refuses the name "%s", which is no tag', (name) => {
    expect(() => xmlOf([{ ...viewer, name }])).toThrow(/cannot stand/)
  })
})
