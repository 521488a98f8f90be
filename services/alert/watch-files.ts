import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from '#runtime/log.ts'

/** Editors write a file in several steps. */
const SETTLE_MS = 300

/** Tells this process, as SIGHUP does, when one of the files, or a file of one of the folders, changes. */
export function watchFiles(paths: readonly string[], logger: Logger): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  const onChange = () => {
    clearTimeout(timer)
    timer = setTimeout(() => process.kill(process.pid, 'SIGHUP'), SETTLE_MS)
  }
  const watchers: readonly FSWatcher[] = paths.map((path) => {
    // A file is often replaced by another of its name, so that its folder is what stays.
    const isFolder = statSync(path).isDirectory()
    return watch(isFolder ? path : dirname(path), (_event, name) => {
      if (isFolder || name === null || name === basename(path)) onChange()
    }).on('error', (error) =>
      logger.warn({ err: error, path }, 'A rule file is no longer watched; SIGHUP still works.'),
    )
  })
  return {
    stop() {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
