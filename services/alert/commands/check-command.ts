import { Command } from 'commander'
import type { Env } from '#runtime/config.ts'
import { parseConfig } from '../config.ts'
import type { Rule } from '../rule.ts'

/** `spanmeter alerts check`: reads rules and channels as the worker would, and says what is wrong. */
export function createCheckCommand(env: Env): Command {
  return new Command('check')
    .description('read rule files and channels, and say what is wrong and where')
    .argument('[files...]', 'rule files or folders (default: those of SPANMETER_ALERT_RULES)')
    .action((files: readonly string[]) => {
      const given = files.length === 0 ? {} : { SPANMETER_ALERT_RULES: files.join(',') }
      const { rules, channels } = parseConfig({ ...env, ...given })
      const names = new Set(rules.rules.map(({ name }) => name))
      const early = rules.rules.filter(({ isEarly }) => isEarly).length
      process.stdout.write(
        [
          `${names.size} rules are right: ${rules.rules.length} with their levels, ${early} of which fire before their windows end.`,
          `They count ${rules.series.length} series; records may be ${rules.allowedLatenessMs / 1_000} s late.`,
          `Channels: ${channels.length === 0 ? 'none' : channels.map(({ name }) => name).join(', ')}.`,
          '',
        ].join('\n'),
      )
    })
}

/** A rule and its level as people write it. */
export function nameOf({ name, level }: Pick<Rule, 'name' | 'level'>): string {
  return level === '' ? name : `${name} ${level}`
}
