import { expect, test } from 'vitest'
import { createRedactor } from '../../../services/alert/notify/redact.ts'

test.each([
  ['a secret', 'no such key: s3cr3t!', 'no such key: ***'],
  ['a secret twice', 's3cr3t!s3cr3t!', '******'],
  ['one with another in it', 'it was long-s3cr3t!-key.', 'it was ***.'],
  ['one in a URL', 'GET /?q=a%2Fb%20c%26d', 'GET /?q=***'],
  ['one in JSON', '{"key":"say \\"quoted\\""}', '{"key":"***"}'],
  ['what is too short for a secret', 'abc', 'abc'],
  ['what has none', 'all is well', 'all is well'],
])('Hides %s', (_, text, expected) => {
  const secrets = ['s3cr3t!', 'long-s3cr3t!-key', 'a/b c&d', 'say "quoted"', 'abc', '']
  expect(createRedactor(secrets)(text)).toBe(expected)
})
