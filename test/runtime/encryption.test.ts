import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError, type Env, parseCommonConfig } from '../../services/runtime/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanmeter-encryption-'))
const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const ca = file('ca.pem', 'the authority')
const cert = file('cert.pem', 'the certificate')
const key = file('key.pem', 'the key')
const password = file('password', 'from a file\r\n')

afterAll(() => rmSync(folder, { recursive: true }))

test('connections are plain where nothing is said', () => {
  const { kafka, clickhouse } = parseCommonConfig({})
  expect(kafka.tls).toBeUndefined()
  expect(kafka.sasl).toBeUndefined()
  expect(clickhouse.tls).toBeUndefined()
})

test('Kafka over TLS with the authorities that Node knows', () => {
  expect(parseCommonConfig({ SPANMETER_KAFKA_TLS: 'true' }).kafka.tls).toEqual({})
})

test('certificates are read from their files', () => {
  const { kafka, clickhouse } = parseCommonConfig({
    SPANMETER_KAFKA_TLS_CA: ca,
    SPANMETER_KAFKA_TLS_CERT: cert,
    SPANMETER_KAFKA_TLS_KEY: key,
    SPANMETER_CLICKHOUSE_TLS_CA: ca,
  })
  expect(kafka.tls).toEqual({
    ca: Buffer.from('the authority'),
    cert: Buffer.from('the certificate'),
    key: Buffer.from('the key'),
  })
  expect(clickhouse.tls).toEqual({ ca: Buffer.from('the authority') })
})

test('a login at Kafka', () => {
  const env = {
    SPANMETER_KAFKA_SASL_MECHANISM: 'scram-sha-256',
    SPANMETER_KAFKA_SASL_USERNAME: 'sink',
    SPANMETER_KAFKA_SASL_PASSWORD: 'p4ss',
  }
  expect(parseCommonConfig(env).kafka.sasl).toEqual({
    mechanism: 'scram-sha-256',
    username: 'sink',
    password: 'p4ss',
  })
})

test('passwords from files lose the line break at their end', () => {
  const { kafka, clickhouse } = parseCommonConfig({
    SPANMETER_KAFKA_SASL_MECHANISM: 'plain',
    SPANMETER_KAFKA_SASL_USERNAME: 'sink',
    SPANMETER_KAFKA_SASL_PASSWORD_FILE: password,
    SPANMETER_CLICKHOUSE_PASSWORD_FILE: password,
  })
  expect(kafka.sasl?.password).toBe('from a file')
  expect(clickhouse.password).toBe('from a file')
})

test.each<[string, Env, RegExp]>([
  [
    'a certificate without its key',
    { SPANMETER_KAFKA_TLS_CERT: cert },
    /SPANMETER_KAFKA_TLS_CERT and SPANMETER_KAFKA_TLS_KEY go together/,
  ],
  [
    'a key without its certificate',
    { SPANMETER_CLICKHOUSE_TLS_KEY: key },
    /SPANMETER_CLICKHOUSE_TLS_CERT and SPANMETER_CLICKHOUSE_TLS_KEY go together/,
  ],
  [
    'a file that is not there',
    { SPANMETER_CLICKHOUSE_TLS_CA: join(folder, 'none.pem') },
    /SPANMETER_CLICKHOUSE_TLS_CA=.*none\.pem: cannot be read: ENOENT/,
  ],
  [
    'certificates, and no TLS',
    { SPANMETER_KAFKA_TLS: 'false', SPANMETER_KAFKA_TLS_CA: ca },
    /SPANMETER_KAFKA_TLS=false: but certificates/,
  ],
  [
    'a login without a password',
    { SPANMETER_KAFKA_SASL_MECHANISM: 'plain', SPANMETER_KAFKA_SASL_USERNAME: 'sink' },
    /needs SPANMETER_KAFKA_SASL_PASSWORD \(or …_PASSWORD_FILE\) too/,
  ],
  [
    'a password twice',
    { SPANMETER_CLICKHOUSE_PASSWORD: 'x', SPANMETER_CLICKHOUSE_PASSWORD_FILE: password },
    /SPANMETER_CLICKHOUSE_PASSWORD and SPANMETER_CLICKHOUSE_PASSWORD_FILE are both set/,
  ],
])('%s is refused', (_, env, message) => {
  expect(() => parseCommonConfig(env)).toThrow(ConfigError)
  expect(() => parseCommonConfig(env)).toThrow(message)
})
