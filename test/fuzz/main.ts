import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Command, InvalidArgumentError } from 'commander'
import { type Finding, fuzz, type Tally } from './fuzz-run.ts'
import { fuzzSockets, type SocketTally } from './sockets.ts'

/** What broke something goes to test/fuzz/corpus, which is a test from then on. */

const program = new Command('fuzz')
  .description('send broken inputs to every decoder and receiver; see docs/security.md')
  .option('--inputs <number>', 'how many inputs for decoders', wholeNumber, 1_000_000)
  .option('--sockets <number>', 'how many requests over HTTP and gRPC', wholeNumber, 50_000)
  .option('--seed <number>', 'which ones', wholeNumber, 1)
  .parse()
const { inputs, sockets, seed } = program.opts<Record<'inputs' | 'sockets' | 'seed', number>>()

const CORPUS = new URL('corpus/', import.meta.url)
/** After a tenth of the inputs everything is as large as it gets. */
const WARM_SHARE = 0.1
const MAX_HEAP_GROWTH_BYTES = 16 * 1024 * 1024
/** Buffers are given back some time after nobody has them: more than all of them ever are. */
const MAX_BUFFER_GROWTH_BYTES = 128 * 1024 * 1024
const MAX_TOLD = 20
const MIB = 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const findings: Finding[] = []

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number')
  return Number(text)
}

function onFinding(finding: Finding): void {
  findings.push(finding)
  if (findings.length > MAX_TOLD) return
  const hash = createHash('sha256').update(finding.input).digest('hex').slice(0, 12)
  mkdirSync(CORPUS, { recursive: true })
  writeFileSync(new URL(`${finding.target}-${hash}.bin`, CORPUS), finding.input)
  process.stdout.write(`FOUND in ${finding.target}, ${hash}: ${finding.problem}\n`)
}

/** Bytes that are in use: of objects, and of buffers. */
function usedBytes(): { readonly heap: number; readonly buffers: number } {
  collectGarbage()
  const { heapUsed: heap, external: buffers } = process.memoryUsage()
  return { heap, buffers }
}

function fuzzDecoders(): void {
  let warm = usedBytes()
  let isWarm = false
  let told = 0
  const startedMs = performance.now()
  const tallies = fuzz({
    inputs,
    seed,
    onFinding,
    onProgress(done) {
      if (done >= told + inputs * WARM_SHARE) {
        told = done
        process.stderr.write(`${done} of ${inputs} inputs\n`)
      }
      if (isWarm || done < inputs * WARM_SHARE) return
      isWarm = true
      warm = usedBytes()
    },
  })
  const seconds = (performance.now() - startedMs) / 1_000
  for (const [name, tally] of tallies) process.stdout.write(lineOf(name, tally))
  const { heap, buffers } = usedBytes()
  const grown = { heap: heap - warm.heap, buffers: buffers - warm.buffers }
  process.stdout.write(
    `${inputs} inputs in ${seconds.toFixed(1)} s: ${Math.round(inputs / seconds)}/s, ` +
      `objects grew by ${(grown.heap / MIB).toFixed(1)} MiB, ` +
      `buffers by ${(grown.buffers / MIB).toFixed(1)} MiB\n`,
  )
  if (grown.heap <= MAX_HEAP_GROWTH_BYTES && grown.buffers <= MAX_BUFFER_GROWTH_BYTES) return
  onFinding({ target: 'memory', input: Buffer.alloc(0), problem: JSON.stringify(grown) })
}

function lineOf(name: string, { inputs: count, slowestMs, outcomes }: Tally): string {
  const told = [...outcomes].map(([outcome, times]) => `${outcome} ${times}`).join(', ')
  return `${name}: ${count}, slowest ${slowestMs.toFixed(1)} ms; ${told}\n`
}

async function fuzzReceivers(): Promise<void> {
  const startedMs = performance.now()
  const tallies: readonly SocketTally[] = await fuzzSockets({ requests: sockets, seed, onFinding })
  const seconds = (performance.now() - startedMs) / 1_000
  for (const { via, answers } of tallies) {
    const told = [...answers].map(([answer, times]) => `${answer} ${times}`).join(', ')
    process.stdout.write(`${via}: ${told}\n`)
  }
  process.stdout.write(`${sockets} requests over sockets in ${seconds.toFixed(1)} s\n`)
}

if (inputs > 0) fuzzDecoders()
if (sockets > 0) await fuzzReceivers()
process.stdout.write(findings.length === 0 ? 'Nothing was found.\n' : `FOUND: ${findings.length}\n`)
process.exitCode = findings.length === 0 ? 0 : 1
