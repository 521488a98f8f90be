import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import { ConfigError } from '#runtime/config.ts'
import { parseConfig } from './config.ts'
import { type ExplainedSpan, explainRequest } from './explain.ts'
import { renderSpans } from './explain-text.ts'

/** Shows what ingest makes of an OTLP request, and what filled each field; sends nothing. */
const program = new Command('spanmeter map')
  .description('Show what becomes of an OTLP request: attributes before, fields after, and why.')
  .argument('<file>', 'OTLP trace request: protobuf (.pb, .bin) or JSON; - for standard input')
  .addOption(
    new Option('--encoding <encoding>', 'of the request; else told by its first byte').choices([
      'json',
      'proto',
    ]),
  )
  .option('--dialects <folder>', 'dialect files of your own, as SPANMETER_DIALECTS')
  .option('--json', 'print one JSON object')
  .showHelpAfterError()
  .action(run)

interface MapOptions {
  readonly encoding?: 'json' | 'proto'
  readonly dialects?: string
  readonly json?: boolean
}

async function run(file: string, options: MapOptions): Promise<void> {
  const config = parseConfig({
    ...process.env,
    ...(options.dialects === undefined ? {} : { SPANMETER_DIALECTS: options.dialects }),
  })
  const body = await read(file)
  const encoding = options.encoding ?? (/^\s*\{/.test(body.toString('latin1')) ? 'json' : 'proto')
  const explained = explainRequest(config.conventions, config.transcode, encoding, body)
  if (explained.type === 'malformed') {
    fail(`${file} is ${explained.message}. It was read as ${encoding}; see --encoding.`)
    return
  }
  const { spans, rejected } = explained
  process.stdout.write(
    options.json === true ? `${JSON.stringify({ spans, rejected })}\n` : renderAll(spans, rejected),
  )
}

async function read(file: string): Promise<Buffer> {
  return file === '-' ? buffer(process.stdin) : readFileSync(file)
}

function renderAll(
  spans: readonly ExplainedSpan[],
  rejected: readonly { readonly index: number; readonly detail: string }[],
): string {
  const refused = rejected.map(({ index, detail }) => `span ${index} is refused: ${detail}\n`)
  return `${renderSpans(spans)}${refused.join('')}`
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof ConfigError) fail(error.message)
  else if (error instanceof Error && 'code' in error) fail(error.message)
  else throw error
}
