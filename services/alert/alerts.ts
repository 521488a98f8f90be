import { Command } from 'commander'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { ConfigError } from '#runtime/config.ts'
import { describeError } from '#runtime/errors.ts'
import { TransientError } from '#runtime/records.ts'
import { createBacktestCommand } from './commands/backtest-command.ts'
import { createCheckCommand } from './commands/check-command.ts'
import { CommandError } from './commands/command-error.ts'
import { createListCommand } from './commands/list-command.ts'
import { createSilenceCommand } from './commands/silence-command.ts'

/** `spanmeter alerts`, a process of its own: rules, what fires, and what would have fired. */

/** Errors whose message tells a person all; of any other the stack is shown, as it is a bug. */
const PLAIN_ERRORS = [ClickHouseError, CommandError, ConfigError, TransientError]
const INTERRUPTED_EXIT_CODE = 130

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())

const { env } = process
const program = new Command('spanmeter alerts')
  .description('look after alerts (see docs/alerts.md)')
  .showHelpAfterError('(see --help)')
  .addCommand(createListCommand(env))
  .addCommand(createCheckCommand(env))
  .addCommand(createBacktestCommand(env, stopping.signal))
  .addCommand(createSilenceCommand(env))

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = stopping.signal.aborted ? INTERRUPTED_EXIT_CODE : 1
  if (!stopping.signal.aborted) process.stderr.write(`${describeError(error, PLAIN_ERRORS)}\n`)
}
// kafkajs may keep sockets open for a while; whatever matters is done.
process.exit()
