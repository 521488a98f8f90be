import { Command } from 'commander'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { ConfigError, parseCommonConfig, readVariables } from '#runtime/config.ts'
import { describeError } from '#runtime/errors.ts'
import { createLogger } from '#runtime/log.ts'
import { MigrationError } from '#runtime/migrations.ts'
import { TransientError } from '#runtime/records.ts'
import { EmbeddedError } from '../embedded/embedded-error.ts'
import { createAccessCommand } from './access/access-command.ts'
import { createAnnotateCommand } from './annotate-command.ts'
import { createEraseCommand } from './erase/erase-command.ts'
import { EraseError } from './erase/erase-error.ts'
import { createKeysCommand } from './keys/keys-command.ts'
import { createDeadLettersCommand } from './dead-letters/dead-letters-command.ts'
import { DeadLettersError } from './dead-letters/dead-letters-error.ts'
import { createPricesCommand } from './prices-command.ts'
import { replayVariables } from './replay/http-sender.ts'
import { RebuildError } from './rebuild/rebuild-error.ts'
import { createRebuildCommand } from './rebuild/rebuild-command.ts'
import { createReplayTopicCommand } from './rebuild/replay-topic-command.ts'
import { createReplayCommand } from './replay/replay-command.ts'
import { SampleError } from './sample.ts'
import { createSetupCommand } from './setup-command.ts'
import { createStartCommand } from './start-command.ts'
import { openTopicSender } from './topic-sender.ts'
import { createTracesCommand } from './traces/traces-command.ts'
import { WorkerError } from './workers.ts'

/** Errors whose message tells a person all; of any other the stack is shown, as it is a bug. */
const PLAIN_ERRORS = [
  ConfigError,
  DeadLettersError,
  RebuildError,
  EmbeddedError,
  MigrationError,
  EraseError,
  SampleError,
  WorkerError,
  TransientError,
  ClickHouseError,
]

const { env } = process
// A command speaks to a person: the log is for what they must know.
const logger = createLogger('cli', env['SPANMETER_LOG_LEVEL'] ?? 'error')
const program = new Command('spanmeter')
  .description('Self-hosted streaming pipeline for LLM and agent observability')
  .showHelpAfterError()
  .addCommand(createStartCommand({ env, logger }))
  .addCommand(createSetupCommand({ env, logger }))
  .addCommand(createPricesCommand({ env, logger }))
  .addCommand(createTracesCommand({ env, logger }))
  .addCommand(createAnnotateCommand({ env, logger }))
  .addCommand(createDeadLettersCommand({ env, logger }))
  .addCommand(createRebuildCommand({ env, logger }))
  .addCommand(createReplayTopicCommand({ env, logger }))
  .addCommand(createAccessCommand({ env }))
  .addCommand(createEraseCommand({ env, logger }))
  .addCommand(createKeysCommand({ env }))
  // Prices are enrich's: the command is another front door of that service, and a process of its own.
  .command('reprice', 'price calls of the past again, and correct every total by the difference', {
    executableFile: '../enrich/reprice.ts',
  })
  // So is what attributes mean ingest's.
  .command('map', 'show what becomes of an OTLP request, and what fills each field', {
    executableFile: '../ingest/map.ts',
  })
  .command(
    'alerts',
    'list alert rules and what fires, check rules, back-test them, silence alerts',
    {
      executableFile: '../alert/alerts.ts',
    },
  )
  .addCommand(
    createReplayCommand({
      openTopicSender: () => openTopicSender(parseCommonConfig(env), logger),
      apiKey: readVariables(replayVariables, env).SPANMETER_API_KEY,
    }),
  )

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${describeError(error, PLAIN_ERRORS)}\n`)
  process.exitCode = 1
}
// Client libraries may keep sockets open for a while; whatever matters is done. A command that is a
// process of its own still runs: this one ends with it, and with its exit code.
if (!isProcessOfItsOwn(program.args)) process.exit()

function isProcessOfItsOwn([name, second]: readonly string[]): boolean {
  const command = name === 'help' ? second : name
  return command === 'reprice' || command === 'map' || command === 'alerts'
}
