import { describe, expect, test } from 'vitest'
import { createBacktestCommand } from '../../../services/alert/commands/backtest-command.ts'
import { runCommand } from './command-runs.ts'

const run = (...args: readonly string[]) =>
  runCommand(createBacktestCommand({}, new AbortController().signal), args)

describe('A back-test is refused', () => {
  test.each([
    ['without a start', []],
    ['that ends before it starts', ['--from', '2026-11-02', '--to', '2026-11-01']],
    ['that ends as it starts', ['--from', '2026-11-01', '--to', '2026-11-01']],
  ])('%s', async (_, args) => {
    expect((await run(...args)).error).toContain('give --from, a time before --to')
  })

  test('with a time that is none', async () => {
    expect((await run('--from', 'monday')).error).toContain('ISO 8601')
  })

  test('of a rule that is not there, with those that are', async () => {
    const { error } = await run('--from', '2026-11-01', '--rule', 'nothing')
    expect(error).toContain('CommandError: There is no rule nothing. There are: ')
    expect(error).toContain('cost-spike')
  })

  test('with a file that is not there', async () => {
    const { error } = await run('--from', '2026-11-01', '--rules', 'missing.yaml')
    expect(error).toContain('missing.yaml')
  })
})
