import { Presets, SingleBar } from 'cli-progress'
import type { Clock } from './clock.ts'

/** Shows how far a replay has come. */
export interface Progress {
  /** Spans sent since the last call. */
  advance(spans: number): void
  stop(): void
}

/** Where progress is shown: a terminal gets a bar, anything else a line every few seconds. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean }

const lineEveryMs = 5000

/** Starts to show progress towards `total` spans. */
export function createProgress(total: number, stream: ProgressStream, clock: Clock): Progress {
  return stream.isTTY ? createBar(total, stream) : createLines(total, stream, clock)
}

function createBar(total: number, stream: NodeJS.WritableStream): Progress {
  const format = 'replay {bar} {percentage} % | {value} of {total} spans | {eta_formatted} left'
  // The command handles Ctrl-C itself, so the bar must not.
  const options = { stream, format, hideCursor: true, gracefulExit: false }
  const bar = new SingleBar(options, Presets.shades_classic)
  bar.start(total, 0)
  return { advance: (spans) => bar.increment(spans), stop: () => bar.stop() }
}

function createLines(total: number, stream: NodeJS.WritableStream, clock: Clock): Progress {
  const startMs = clock.now()
  let lastMs = startMs
  let sent = 0
  return {
    advance(spans) {
      sent += spans
      const nowMs = clock.now()
      if (nowMs - lastMs < lineEveryMs) return
      lastMs = nowMs
      const percent = Math.floor((sent / total) * 100)
      const perSecond = Math.round(sent / ((nowMs - startMs) / 1000))
      stream.write(`replay: ${sent} of ${total} spans (${percent} %), ${perSecond} spans/s\n`)
    },
    stop() {
      // The summary of the command is the last line.
    },
  }
}
