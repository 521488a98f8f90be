import { describe, expect, it } from 'vitest'
import { serverXml } from '../../services/embedded/clickhouse-config.ts'

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

  it('gives nobody what is not granted', () => {
    expect(xml).toContain(
      '<select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>',
    )
  })

  it('leaves room on the disk, as a write that fails goes unnoticed', () => {
    expect(xml).toContain(
      '<default><keep_free_space_bytes>268435456</keep_free_space_bytes></default>',
    )
  })

  it('escapes paths', () => {
    expect(xml).toContain('<tmp_path>/data/a&lt;b/tmp/</tmp_path>')
  })
})
