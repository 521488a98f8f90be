import { readFileSync } from 'node:fs'

/** Loaded before a worker: shifts its clock by the milliseconds that a file says, as they change. */

const file = process.env['SPANMETER_CHAOS_CLOCK']
const POLL_MS = 100
const RealDate = Date
const now = Date.now.bind(Date)
let shiftMs = 0

function shifted(): number {
  return now() + shiftMs
}

function read(path: string): void {
  try {
    shiftMs = Number(readFileSync(path, 'utf8'))
  } catch {
    shiftMs = 0
  }
}

if (file !== undefined) {
  read(file)
  setInterval(() => read(file), POLL_MS).unref()
  Date.now = shifted
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget): Date =>
      Reflect.construct(target, args.length === 0 ? [shifted()] : args, newTarget),
    apply: () => new RealDate(shifted()).toString(),
  })
}
