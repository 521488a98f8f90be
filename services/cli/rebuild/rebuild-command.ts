import { Command, InvalidArgumentError } from 'commander'
import { stopOnSignal, unlessStopped } from '#runtime/stop-on-signal.ts'
import type { Env } from '#runtime/config.ts'
import { parseTime } from '#runtime/iso-time.ts'
import type { Logger } from '#runtime/log.ts'
import { changesJson, formatChanges } from './changes-text.ts'
import { rebuildDay, type RebuildResult } from './rebuild-day.ts'
import { requireSameRest, requireSinkAtRest } from './sink-at-rest.ts'
import { withWorkplace } from './workplace.ts'

interface Flags {
  readonly day: string
  readonly allowFewer?: boolean
  readonly json?: boolean
}

/** `spanmeter rebuild`: the rollups of a day, made anew from its rows. */
export function createRebuildCommand({ env, logger }: { env: Env; logger: Logger }): Command {
  return new Command('rebuild')
    .description(
      'make the rollups of a day anew from its rows, with sink stopped (see docs/dead-letters.md)',
    )
    .requiredOption('--day <day>', 'the day (UTC), such as 2026-11-01', readDay)
    .option('--allow-fewer', 'also where rows are fewer than the rollups say')
    .option('--json', 'print one line of JSON last')
    .action(async ({ day, allowFewer = false, json }: Flags) => {
      const signal = stopOnSignal(say)
      const result = await unlessStopped(signal, () =>
        withWorkplace({ env, logger, say }, async ({ store, shadow }) => {
          const landed = await requireSinkAtRest(store)
          const requireRest = () => requireSameRest(store, landed)
          return rebuildDay(shadow, { day, allowFewer, requireRest, say, signal })
        }),
      )
      if (result === undefined) return
      process.stdout.write(`${formatResult(result).join('\n')}\n`)
      if (json === true) process.stdout.write(`${JSON.stringify(resultJson(result))}\n`)
    })
}

function formatResult({ day, spans, changes }: RebuildResult): readonly string[] {
  const done = `The rollups of ${day} are made anew from ${spans.toLocaleString('en-US')} spans.`
  return [done, ...formatChanges(changes)]
}

function resultJson({ changes, ...result }: RebuildResult): Readonly<Record<string, unknown>> {
  return { ...result, changes: changesJson(changes) }
}

function readDay(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && parseTime(text) !== undefined) return text
  throw new InvalidArgumentError('It must be a day, such as 2026-11-01.')
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
