import { Command } from 'commander'
import { stopOnSignal, unlessStopped } from '#runtime/stop-on-signal.ts'
import type { Env } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { readTime } from '#runtime/time-option.ts'
import { changesJson, formatChanges } from './changes-text.ts'
import { replayDays } from './replay-days.ts'
import { requireSameRest, requireSinkAtRest } from './sink-at-rest.ts'
import { daysOf } from './tables.ts'
import { withWorkplace } from './workplace.ts'

interface Flags {
  readonly from: number
  readonly to: number
  readonly allowFewer?: boolean
  readonly json?: boolean
}

const MAX_DAYS = 366

/** `spanmeter replay-topic`: rows and rollups of days, made anew from what Kafka still has. */
export function createReplayTopicCommand({ env, logger }: { env: Env; logger: Logger }): Command {
  const command = new Command('replay-topic')
    .description(
      'make rows and rollups of days anew from the records in Kafka, with sink stopped (see docs/dead-letters.md)',
    )
    .requiredOption(
      '--from <time>',
      'first start of a span: ISO 8601, such as 2026-11-01',
      readTime,
    )
    .requiredOption(
      '--to <time>',
      'spans that start before this time; days are replaced whole',
      readTime,
    )
    .option('--allow-fewer', 'also where Kafka has fewer spans than the rollups say')
    .option('--json', 'print one line of JSON last')
  return command.action(async ({ from, to, allowFewer = false, json }: Flags) => {
    if (from >= to) command.error('error: --from must be before --to')
    const days = daysOf(from, to)
    if (days.length > MAX_DAYS) command.error(`error: these are more than ${MAX_DAYS} days`)
    const signal = stopOnSignal(say)
    const replayed = await unlessStopped(signal, () =>
      withWorkplace({ env, logger, say }, async ({ config, store, shadow }) => {
        const landed = await requireSinkAtRest(store)
        const requireRest = () => requireSameRest(store, landed)
        const kafka = connectKafka(config.kafka, 'spanmeter-replay-topic', logger)
        try {
          const work = { days, allowFewer, kafka, store, landed, requireRest, say, signal }
          return await replayDays(shadow, work)
        } finally {
          await kafka.close()
        }
      }),
    )
    if (replayed === undefined) return
    for (const { day, changes } of replayed) {
      const lines = [`Rows and rollups of ${day} are made anew.`, ...formatChanges(changes)]
      process.stdout.write(`${lines.join('\n')}\n`)
    }
    if (json !== true) return
    const result = replayed.map(({ day, changes }) => ({ day, changes: changesJson(changes) }))
    process.stdout.write(`${JSON.stringify({ days: result })}\n`)
  })
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
