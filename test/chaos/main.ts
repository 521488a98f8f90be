import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { isDifferent } from './difference.ts'
import { runPeer } from './peer.ts'
import { type FaultKind, FAULT_KINDS } from './plan.ts'
import { formatReport } from './report.ts'
import { runChaos } from './run.ts'

/** Faults by a plan over the whole pipeline, and what of them shows in its tables: docs/chaos.md. */

interface Flags {
  readonly seed: number
  readonly faults: number
  readonly rate: number
  readonly rows: number
  readonly only?: readonly FaultKind[]
  readonly peer?: string
  readonly keep?: boolean
  readonly json?: boolean
}

const DEFAULTS = { seed: 1, faults: 200, rate: 1_500, rows: 30 }

const program = new Command('chaos')
  .description('make faults while spans flow, and compare every table with what was sent')
  .option('--seed <number>', 'which plan', wholeNumber, DEFAULTS.seed)
  .option('--faults <number>', 'how many faults', wholeNumber, DEFAULTS.faults)
  .option('--rate <ms>', 'mean pause between two faults', wholeNumber, DEFAULTS.rate)
  .option('--rows <number>', 'rows of the sample for each second', wholeNumber, DEFAULTS.rows)
  .option('--only <kinds>', `these kinds of faults alone: ${FAULT_KINDS.join(',')}`, kindsOf)
  .option(
    '--peer <program>',
    'the OpenTelemetry Collector instead; only its process and the engines are hit',
  )
  .option('--keep', 'keep the data folder')
  .option('--json', 'print the report as one line of JSON')
  .action(run)

const INTERRUPTED_EXIT_CODE = 130
const stopping = new AbortController()
try {
  await program.parseAsync()
} catch (error) {
  if (!stopping.signal.aborted) throw error
  process.exitCode = INTERRUPTED_EXIT_CODE
}
// Client libraries may keep sockets open for a while; whatever matters is done.
process.exit()

async function run(flags: Flags): Promise<void> {
  const { seed, faults, rate, rows, only = FAULT_KINDS, peer, keep = false, json = false } = flags
  const shared = { seed, faults, meanPauseMs: rate, rowsPerSecond: rows, tell }
  if (peer !== undefined) {
    const { spans } = await runPeer({ ...shared, program: resolve(peer) })
    const { lostCount, doubledCount, expected } = spans
    const line = `seed ${seed}: ${faults} faults; of ${expected} spans ${lostCount} lost, ${doubledCount} doubled`
    process.stdout.write(json ? `${JSON.stringify(spans)}\n` : `${line}\n`)
    return
  }
  const without = new Set(FAULT_KINDS.filter((kind) => !only.includes(kind)))
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => stopping.abort(new Error(`ended by ${name}`)))
  }
  const report = await runChaos({ ...shared, keep, without, signal: stopping.signal })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : formatReport(report))
  const hasCrashed = Object.keys(report.crashes).length > 0
  if (hasCrashed || report.differences.some(isDifferent)) process.exitCode = 1
}

function tell(message: string): void {
  process.stderr.write(`${message}\n`)
}

function kindsOf(text: string): readonly FaultKind[] {
  return text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((one) => one === name)
    if (kind === undefined) throw new InvalidArgumentError(`has ${name}, which is none of them`)
    return kind
  })
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number')
  return Number(text)
}
