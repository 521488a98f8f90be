import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { emptyTally, type Finding, fuzz, tryInput } from './fuzz-run.ts'
import { fuzzSockets } from './sockets.ts'
import { TARGETS } from './targets.ts'

/** Other inputs: SPANMETER_TEST_SEED=7; a million of them: npm run fuzz. */
const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const INPUTS = 8_000
const REQUESTS = 400
const CORPUS = new URL('corpus/', import.meta.url)

const told = (findings: readonly Finding[]) =>
  findings.map(({ target, input, problem }) => `${target} ${input.toString('base64')}: ${problem}`)

describe('Whatever broke a reader once', () => {
  const files = readdirSync(CORPUS)

  test('is kept', () => expect(files.length).toBeGreaterThan(0))

  // Its name is that of what it broke, and a hash.
  test.each(files)('is only refused now: %s', (file) => {
    const target = TARGETS.find(({ name }) => file.startsWith(`${name}-`))
    if (target === undefined) throw new Error(`nothing is fuzzed that reads ${file}`)
    expect(tryInput(target, readFileSync(new URL(file, CORPUS)), emptyTally())).toBeUndefined()
  })
})

describe('Bytes that were valid before they were changed', () => {
  test('are read or refused, soon, and leave nothing behind', () => {
    const findings: Finding[] = []
    const tallies = fuzz({ inputs: INPUTS, seed: SEED, onFinding: (one) => findings.push(one) })
    expect(told(findings)).toEqual([])
    // Inputs that are all refused at once, or never, would tell nothing.
    for (const [name, { outcomes }] of tallies) expect([name, outcomes.size]).not.toEqual([name, 1])
    expect(tallies.size).toBe(TARGETS.length)
  })

  test('are answered as promised over HTTP and gRPC', async () => {
    const findings: Finding[] = []
    const onFinding = (one: Finding) => findings.push(one)
    const tallies = await fuzzSockets({ requests: REQUESTS, seed: SEED, onFinding })
    expect(told(findings)).toEqual([])
    const answers = tallies.flatMap((tally) => [...tally.answers.keys()])
    expect(answers).toEqual(expect.arrayContaining(['200', '400', 'OK', 'INVALID_ARGUMENT']))
  })
})

describe('What is told of', () => {
  const input = Buffer.from('a')
  const target = (read: () => string) => ({ name: 'a', share: 1, make: () => input, read })

  test('is what a reader throws', () => {
    const broken = target(() => {
      throw new RangeError('beyond the end')
    })
    expect(tryInput(broken, input, emptyTally())).toContain('RangeError: beyond the end')
  })

  test('is what takes too long', () => {
    const slow = target(() => {
      const startedMs = process.cpuUsage().user
      while (process.cpuUsage().user - startedMs < 80_000);
      return 'read'
    })
    expect(tryInput(slow, input, emptyTally())).toMatch(/^took \d+ ms for 1 bytes$/)
  })
})
