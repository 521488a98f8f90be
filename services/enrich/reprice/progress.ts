import { Presets, SingleBar } from 'cli-progress'

/** Tells a person how far a run has come. */
export interface Progress {
  /** Writes a line of its own. */
  readonly say: (text: string) => void
  /** Shows a bar towards `total` on a terminal, instead of one that is there. */
  readonly start: (what: string, total: number) => void
  readonly advance: (by: number) => void
  readonly stop: () => void
}

/** Where progress is shown: bars are for terminals alone. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** Progress on a stream. */
export function createProgress(stream: ProgressStream): Progress {
  let bar: SingleBar | undefined
  const stop = (): void => {
    bar?.stop()
    bar = undefined
  }
  return {
    say(text) {
      stop()
      stream.write(`${text}\n`)
    },
    start(what, total) {
      stop()
      if (stream.isTTY !== true) return
      const format = `${what} {bar} {percentage} % | {value} of {total} | {eta_formatted} left`
      // The command handles Ctrl-C itself, so the bar must not.
      bar = new SingleBar(
        { stream, format, hideCursor: true, gracefulExit: false, clearOnComplete: true },
        Presets.shades_classic,
      )
      bar.start(total, 0)
    },
    advance: (by) => bar?.increment(by),
    stop,
  }
}
