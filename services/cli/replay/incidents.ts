import type { ErrorKind } from './workload.ts'

/** A stretch of the workload, in minutes since its first request: from inclusive, to exclusive. */
interface Stretch {
  readonly fromMinute: number
  readonly toMinute: number
}

/** Whether a request of this minute lies within. */
export function isWithin(minute: number, { fromMinute, toMinute }: Stretch): boolean {
  return minute >= fromMinute && minute < toMinute
}

/** A provider that is down for a while: this share of the calls that it gets meanwhile fails. */
export const outage: Stretch & { readonly provider: string; readonly error: ErrorKind } = {
  fromMinute: 20,
  toMinute: 32,
  provider: 'anthropic',
  error: {
    type: 'overloaded_error',
    share: 0.35,
    status: 529,
    serverStatus: 503,
    message: 'Overloaded',
    fails: { afterMs: 400 },
  },
}

/** A feature whose answers are bad for a while: its scores are this many times what they were. */
export const qualityDip: Stretch & { readonly feature: string; readonly times: number } = {
  fromMinute: 40,
  toMinute: 50,
  feature: 'document-qa',
  times: 0.6,
}
