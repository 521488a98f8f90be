import { execFile } from 'node:child_process'
import { cp, mkdir, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A file system of a fixed size, that can be filled up. */
export interface Disk {
  /** Takes all of it but so many bytes; the function gives them back. */
  fill(leaveBytes: number): Promise<() => Promise<void>>
  /** Copies what is on it to the folder beneath. */
  keep(): Promise<void>
  unmount(): Promise<void>
}

const SIZE = '1500m'
const run = promisify(execFile)

/** Mounts a disk in memory on a folder; undefined where this user may not. */
export async function mountDisk(folder: string): Promise<Disk | undefined> {
  await mkdir(folder, { recursive: true })
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder])
  } catch {
    return undefined
  }
  const ballast = join(folder, 'ballast')
  const copy = `${folder}.kept`
  let isKept = false
  return {
    async fill(leaveBytes) {
      const { bavail, bsize } = await statfs(folder)
      const bytes = Math.floor(bavail * bsize - leaveBytes)
      // What others write meanwhile may take the room first: then it is as full as it can be.
      if (bytes > 0) await run('fallocate', ['-l', String(bytes), ballast]).catch(() => undefined)
      return () => rm(ballast, { force: true })
    },
    async keep() {
      await cp(folder, copy, { recursive: true })
      isKept = true
    },
    async unmount() {
      await run('umount', [folder])
      if (!isKept) return
      await rm(folder, { recursive: true, force: true })
      await rename(copy, folder)
    },
  }
}
