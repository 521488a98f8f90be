import { expect, test } from 'vitest'
import { createTracesCommand } from '../../../services/cli/traces/traces-command.ts'
import { silent } from '../../support/stack.ts'

/** What a person is told who gives these arguments; nothing answers at the address. */
async function told(...args: readonly string[]): Promise<string> {
  const said: string[] = []
  const env = { SPANMETER_CLICKHOUSE_URL: 'http://127.0.0.1:1' }
  const command = createTracesCommand({ env, logger: silent })
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({
      writeErr: (text) => said.push(text),
      writeOut: (text) => said.push(text),
    })
  }
  await command
    .parseAsync(args, { from: 'user' })
    .catch((error: unknown) => said.push(String(error)))
  return said.join('')
}

test.each([
  [['show', 'abc'], 'It must be 32 hexadecimal digits'],
  [['show'], 'missing required argument'],
  [['slow', '--from', 'noon'], 'ISO 8601'],
  [['slow', '--from', '2026-11-21', '--to', '2026-11-20'], '--from must be before --to'],
  [['slow', '--limit', '1.5'], 'whole number from 1 to 100000'],
  [['low-quality', '--below', '65'], 'a number from 0 to 1'],
  [['low-quality', '--below', ''], 'a number from 0 to 1'],
  [['show', 'a'.repeat(32)], 'ClickHouse cannot be reached'],
  [['slow', '--help'], 'traces above the P95 of their endpoint'],
  [['low-quality', '--help'], '--evaluator'],
  [['show', '--help'], 'what decided how long it took'],
])('%j is told of %j', async (args, said) => {
  expect(await told(...args)).toContain(said)
})
