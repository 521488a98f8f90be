import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { otlpRequest } from '../support/otlp-proto.ts'

const CLI = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'spanmeter-map-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function map(args: readonly string[], input: Buffer | string = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'map', ...args], { input })
  return { status, out: stdout.toString(), err: stderr.toString() }
}

function write(name: string, content: Buffer | string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

const request = otlpRequest({
  spans: [
    {
      name: 'chat',
      attributes: [
        ['gen_ai.usage.prompt_tokens', 7],
        ['shop.order', 'o-1'],
      ],
    },
  ],
})

describe('spanmeter map', () => {
  test('shows what becomes of a request in a file', () => {
    const { status, out } = map([write('request.pb', request)])
    expect(status).toBe(0)
    expect(out).toMatch(/input_tokens +7 +opentelemetry: gen_ai.usage.prompt_tokens/)
    expect(out).toMatch(/attributes that remain\n +shop.order +o-1/)
  })

  test('reads standard input, and prints JSON', () => {
    const { status, out } = map(['-', '--json'], request)
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ spans: [{ name: 'chat' }], rejected: [] })
  })

  test('tries a dialect file of one’s own', () => {
    write('shop.yaml', '{name: shop, fields: {request_id: [shop.order]}}')
    const { out } = map(['-', '--dialects', folder], request)
    expect(out).toMatch(/request_id +o-1 +shop: shop.order/)
  })

  test.each([
    ['a file that is not there', ['no-such-file.pb'], /no such file.*no-such-file.pb/],
    ['what is no request', ['-'], /- is not an OTLP ExportTraceServiceRequest.*--encoding/],
    [
      'a folder that is not there',
      ['-', '--dialects', 'no-folder'],
      /SPANMETER_DIALECTS=no-folder/,
    ],
  ])('names %s', (_, args, message) => {
    const { status, err } = map(args, 'no request')
    expect([status, err.replaceAll('\n', ' ')]).toEqual([1, expect.stringMatching(message)])
  })
})
