import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { crashesOf } from './crashes.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const line = (level: number, msg: string, message: string) =>
  JSON.stringify({ level, service: 'sink', msg, err: { message } })

test('what ended workers is counted, what they tried again is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crashes-'))
  folders.push(folder)
  await mkdir(join(folder, 'sink'))
  const log = [
    line(40, 'A dependency did not answer.', 'ECONNRESET'),
    line(60, 'The worker could not start.', 'ECONNREFUSED'),
    line(60, 'The worker cannot go on.', 'x is not a function'),
    line(60, 'The worker cannot go on.', 'x is not a function'),
    'TypeError: y is not iterable',
    '    at somewhere (file.ts:1:1)',
    '{"level":60, cut off',
  ]
  await writeFile(join(folder, 'sink', 'sink.log'), log.join('\n'))
  expect(await crashesOf(folder)).toEqual({
    'sink: The worker cannot go on. x is not a function': 2,
    'TypeError: y is not iterable': 1,
  })
})
