import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { watchFiles } from '../../services/alert/watch-files.ts'

const root = mkdtempSync(join(tmpdir(), 'alert-watch-'))
afterAll(() => rmSync(root, { recursive: true }))
const logger = pino({ level: 'silent' })

let folder = ''
let folders = 0
let signals = 0
const onSignal = () => void signals++
const stops: (() => void)[] = []

beforeEach(() => {
  folder = join(root, String(folders++))
  mkdirSync(folder)
  signals = 0
  process.on('SIGHUP', onSignal)
})
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  process.off('SIGHUP', onSignal)
})

const path = (name: string) => join(folder, name)
function watchAll(...paths: readonly string[]): () => void {
  const watching = watchFiles(paths, logger)
  const stop = () => watching.stop()
  stops.push(stop)
  return stop
}
const signalled = () => signals
const PATIENTLY = { timeout: 10_000, interval: 20 }

/** Lets another watcher tell of two changes, one after the other: what was to be told before has been. */
async function settled(): Promise<void> {
  const before = signals
  const probe = join(root, `probe-${folders++}`)
  mkdirSync(probe)
  watchAll(probe)
  for (const times of [1, 2]) {
    writeFileSync(join(probe, 'a'), String(times))
    await expect.poll(signalled, PATIENTLY).toBe(before + times)
  }
}

test('A file that is written over is told of, once for several writes', async () => {
  writeFileSync(path('rules.yaml'), 'a')
  watchAll(path('rules.yaml'))
  for (const text of ['b', 'c', 'd']) writeFileSync(path('rules.yaml'), text)
  await expect.poll(signalled, PATIENTLY).toBe(1)
  writeFileSync(path('rules.yaml'), 'e')
  await expect.poll(signalled, PATIENTLY).toBe(2)
})

test('A file that another takes the place of is told of, again and again', async () => {
  writeFileSync(path('rules.yaml'), 'a')
  watchAll(path('rules.yaml'))
  for (const times of [1, 2]) {
    writeFileSync(path('rules.new'), String(times))
    renameSync(path('rules.new'), path('rules.yaml'))
    await expect.poll(signalled, PATIENTLY).toBe(times)
  }
})

test('Files of a folder are told of, new ones too', async () => {
  watchAll(folder)
  writeFileSync(path('new.yaml'), 'a')
  await expect.poll(signalled, PATIENTLY).toBe(1)
})

test('What stands beside a file is not told of, nor is anything after the stop', async () => {
  writeFileSync(path('rules.yaml'), 'a')
  const stop = watchAll(path('rules.yaml'))
  writeFileSync(path('other.yaml'), 'a')
  await settled()
  expect(signals).toBe(2)
  writeFileSync(path('rules.yaml'), 'b')
  stop()
  await settled()
  expect(signals).toBe(4)
})

test('Nothing to watch is nothing to tell', () => {
  expect(() => watchAll()()).not.toThrow()
})
