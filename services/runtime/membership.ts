import { type BatchControl, TransientError } from './records.ts'

const BEAT_MS = 500

/** Keeps the membership alive while a task takes long, such as an insert into a busy ClickHouse. */
export async function beatWhile<T>(control: BatchControl, task: () => Promise<T>): Promise<T> {
  // A partition that is lost meanwhile is noticed by the next commit.
  const timer = setInterval(() => void control.heartbeat().catch(() => undefined), BEAT_MS)
  try {
    return await task()
  } finally {
    clearInterval(timer)
  }
}

/** A heartbeat that itself cannot get through says nothing about who owns the partition. */
export async function keepMembership(control: BatchControl): Promise<void> {
  try {
    await control.heartbeat()
  } catch (error) {
    if (!(error instanceof TransientError)) throw error
  }
}
