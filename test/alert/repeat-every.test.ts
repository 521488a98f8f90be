import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { repeatEvery } from '../../services/alert/repeat-every.ts'
import { TransientError } from '../../services/runtime/records.ts'

const logger = pino({ level: 'silent' })
const run = promisify(execFile)

test('A task is done again and again, and no more once it is stopped', async () => {
  let times = 0
  const repeating = repeatEvery(1, logger, async () => void times++)
  await vi.waitFor(() => expect(times).toBeGreaterThan(2))
  await repeating.stop()
  const before = times
  await new Promise((resolve) => setImmediate(resolve))
  expect(times).toBe(before)
})

test('What a dependency did not answer is tried next time', async () => {
  let times = 0
  const repeating = repeatEvery(1, logger, async () => {
    if (++times < 3) throw new TransientError('no broker')
  })
  await vi.waitFor(() => expect(times).toBeGreaterThan(3))
  await repeating.stop()
})

test('A stop waits for the task that is under way, and for no pause', async () => {
  const events: string[] = []
  const started = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const repeating = repeatEvery(1, logger, async () => {
    started.resolve()
    await finish.promise
    events.push('done')
  })
  await started.promise
  const stopped = repeating.stop().then(() => events.push('stopped'))
  finish.resolve()
  await stopped
  expect(events).toEqual(['done', 'stopped'])
  await repeatEvery(3_600_000, logger, () => Promise.reject(new Error('too early'))).stop()
})

test('What fails while it is stopped is nobody’s concern', async () => {
  const started = Promise.withResolvers<void>()
  const fail = Promise.withResolvers<void>()
  const repeating = repeatEvery(1, logger, () => {
    started.resolve()
    return fail.promise
  })
  await started.promise
  const stopped = repeating.stop()
  fail.reject(new Error('closed'))
  await expect(stopped).resolves.toBeUndefined()
})

test('A bug ends the process', async () => {
  const file = fileURLToPath(new URL('../../services/alert/repeat-every.ts', import.meta.url))
  const code = `
    import { repeatEvery } from ${JSON.stringify(file)}
    repeatEvery(1, undefined, () => Promise.reject(new RangeError('a bug')))
    setTimeout(() => undefined, 60_000)`
  const done = run(process.execPath, ['--input-type=module', '--eval', code], { timeout: 30_000 })
  await expect(done).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('a bug') })
})
