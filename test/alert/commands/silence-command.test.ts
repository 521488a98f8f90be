import { describe, expect, test } from 'vitest'
import { createSilenceCommand } from '../../../services/alert/commands/silence-command.ts'
import { runCommand } from './command-runs.ts'

const run = (...args: readonly string[]) => runCommand(createSilenceCommand({}), args)

describe('A silence is refused', () => {
  test.each([
    ['of a rule that is not there', ['--rule', 'nothing'], 'There is no rule nothing. There are: '],
    ['of no length', ['--for', '0s'], 'It must be a duration such as 30m'],
    ['of a length that is none', ['--for', 'long'], 'It must be a duration such as 30m'],
    ['with a match without a value', ['--match', 'tenant'], 'It must be dimension=value'],
    ['with a match without a dimension', ['--match', '=acme'], 'It must be dimension=value'],
    ['from a time that is none', ['--from', 'now'], 'ISO 8601'],
    [
      'that ends before it starts',
      ['--from', '2026-11-02', '--until', '2026-11-01'],
      'must be after its start',
    ],
    ['that is over', ['--until', '2020-01-01'], 'must be after its start'],
  ])('%s', async (_, args, message) => {
    const { out, error } = await run(...args)
    expect([out, error]).toEqual(['', expect.stringContaining(message)])
  })
})
