import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createReplayCommand, shiftToEndNow } from '../../../services/cli/replay/replay-command.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-replay-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Runs the command with a topic sender that keeps what it gets. */
async function run(...flags: string[]) {
  const calls: (readonly Uint8Array[])[] = []
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const state = { isClosed: false }
  const command = createReplayCommand({
    openTopicSender: async () => ({
      send: async (bodies) => {
        calls.push(bodies)
      },
      close: async () => {
        state.isClosed = true
      },
    }),
    stdout,
    stderr,
  })
  command.exitOverride().configureOutput({ writeErr: (message) => stderr.write(message) })
  const report = join(folder, 'report.json')
  const startMs = Date.now()
  const error = await command
    .parseAsync(['--via', 'kafka', '--report', report, ...flags], { from: 'user' })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  stdout.end()
  stderr.end()
  const page = await readFile(report, 'utf8').catch(() => '{}')
  return {
    calls,
    ...state,
    error,
    startMs,
    report: JSON.parse(page),
    stdout: await text(stdout),
    stderr: await text(stderr),
  }
}

describe('spanmeter replay', () => {
  it('sends the first rows to the topic in few calls and reports them', async () => {
    const { calls, report, stdout, isClosed } = await run('--limit', '500', '--seed', '7')
    const bodies = calls.flat()
    expect(report).toMatchObject({ outcome: 'complete', seed: 7, traces: 500 })
    expect(report.requests).toBe(bodies.length)
    expect(report.bytes).toBe(bodies.reduce((sum, body) => sum + body.length, 0))
    expect(calls.length).toBeLessThan(bodies.length / 5)
    expect(stdout).toContain('spans of 500 traces')
    expect(isClosed).toBe(true)
  })

  it('moves the last span to just before now', async () => {
    const { report, startMs } = await run('--limit', '200')
    const lagMs = startMs - Date.parse(report.lastSpanTime)
    expect(lagMs).toBeLessThanOrEqual(1)
    expect(lagMs).toBeGreaterThan(-10_000)
    expect(Date.parse(report.lastSpanTime)).toBeLessThan(Date.now())
  })

  it('keeps the times of the file when asked to', async () => {
    const { report } = await run('--limit', '3', '--keep-time')
    expect(report.firstSpanTime).toBe('2023-11-16T18:15:46.680590000Z')
  })

  it.each([
    [['--speed', '-1'], 'It must be a number above 0'],
    [['--seed', '1.5'], 'It must be a whole number from 0 to 4294967295'],
    [['--endpoint', 'localhost'], 'It must be an address such as'],
    [['--via', 'pigeon'], 'Allowed choices are http, kafka'],
    [['--shift', '--keep-time'], 'cannot be used with'],
    [['--file', 'missing.csv'], 'Cannot read the workload'],
  ])('refuses %j with a message', async (flags, message) => {
    const { error, stderr, calls } = await run(...flags)
    expect(error).toBeInstanceOf(Error)
    expect(stderr).toContain(message)
    expect(calls).toEqual([])
  })
})

describe('shiftToEndNow', () => {
  const outline = { traces: 1, spans: 5, firstRequestNs: 0n, lastEndNs: 60_000_000_000n }
  const nowMs = 1_000_000

  it.each([
    ['max', Infinity, nowMs - 1],
    ['60 times', 60, nowMs + 1000 - 1],
    ['real time', 1, nowMs + 60_000 - 1],
    ['half', 0.5, nowMs + 60_000 - 1],
  ])('at speed %s ends the last span when it is sent, or before', (_, speed, endMs) => {
    const endNs = outline.lastEndNs + shiftToEndNow(outline, speed, nowMs)
    expect(endNs).toBe(BigInt(endMs) * 1_000_000n)
  })
})
