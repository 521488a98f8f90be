import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** The end of log files, as far as they were written since the tail was opened. */
export interface LogTail {
  /** The last lines of each file, under the file's name; for an error message. */
  describe(): string
}

const LINES = 15
const MAX_BYTES = 16_384

/** Remembers how long the files are now; a missing file counts as empty. */
export function openLogTail(files: readonly string[]): LogTail {
  const starts = files.map((file) => sizeOf(file))
  return {
    describe: () => {
      const parts = files.flatMap((file, index) => {
        const lines = lastLines(file, starts[index] ?? 0)
        return lines.length === 0
          ? []
          : [`Last lines of ${file}:\n${lines.map((line) => `  ${line}`).join('\n')}`]
      })
      return parts.length === 0 ? `It wrote nothing to ${files.join(' or ')}.` : parts.join('\n')
    },
  }
}

function lastLines(file: string, start: number): readonly string[] {
  const text = readEnd(file, start)
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-LINES)
}

// A file shorter than before was rotated, so all of it is new.
function readEnd(file: string, start: number): string {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(handle)
    const from = Math.max(size < start ? 0 : start, size - MAX_BYTES)
    const bytes = Buffer.alloc(size - from)
    const length = readSync(handle, bytes, 0, bytes.length, from)
    return bytes.toString('utf8', 0, length)
  } finally {
    closeSync(handle)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
