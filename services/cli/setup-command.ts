import { Command } from 'commander'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import type { Logger } from '#runtime/log.ts'
import { setUp } from './stack.ts'

/** `spanmeter setup`: topics and tables on engines that run elsewhere. */
export function createSetupCommand({ env, logger }: { env: Env; logger: Logger }): Command {
  return new Command('setup')
    .description(
      'make the topics and tables that are missing (safe to repeat, and while workers run)',
    )
    .action(async () => {
      await setUp(env, parseCommonConfig(env), logger, (subject, message) =>
        process.stdout.write(`${subject}: ${message}\n`),
      )
    })
}
