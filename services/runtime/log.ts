import { pino, type Logger } from 'pino'

export type { Logger }

/** The structured log of one process: JSON lines on standard output, one child per service. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
  })
}
