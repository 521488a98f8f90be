import { startProviderStub } from './provider-stub.ts'

/**
 * Runs the stub for tests in other languages: `node provider-stub-main.ts [port]` writes one line of
 * JSON with its address, and ends with its input or on SIGTERM.
 */
const stub = await startProviderStub(Number(process.argv[2] ?? 0))
process.stdout.write(`${JSON.stringify({ url: stub.url })}\n`)

const ended = new Promise<void>((resolve) => {
  process.once('SIGTERM', resolve)
  process.stdin.once('end', resolve)
  process.stdin.once('error', resolve)
  process.stdin.resume()
})
await ended
await stub.stop()
process.stdin.destroy()
