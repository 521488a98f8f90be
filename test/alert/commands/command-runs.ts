import type { Command } from 'commander'
import { vi } from 'vitest'

/** What a command printed, and what went wrong. */
export interface CommandRun {
  readonly out: string
  readonly error: string
}

/** Runs a command as a shell would, but in this process. */
export async function runCommand(command: Command, args: readonly string[]): Promise<CommandRun> {
  let [out, error] = ['', '']
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  command.exitOverride().configureOutput({ writeErr: (text) => (error += text) })
  try {
    await command.parseAsync([...args], { from: 'user' })
  } catch (thrown) {
    error ||= thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  } finally {
    stdout.mockRestore()
  }
  return { out, error }
}
