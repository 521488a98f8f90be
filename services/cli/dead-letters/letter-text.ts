import { textTable } from '#runtime/text-table.ts'
import type { Letter, LetterGroup, LetterHead } from './letters.ts'
import { otlpJson } from './otlp-text.ts'

const GROUP_COLUMNS = [
  'worker',
  'source',
  'reason',
  'tenant',
  'last (UTC)',
  'the last one says',
  'letters',
]
const HEAD_COLUMNS = [
  'id',
  'time (UTC)',
  'worker',
  'came from',
  'reason',
  'tenant',
  'detail',
  'bytes',
]
const MAX_DETAIL = 80

/** Letters by what they have in common, then the newest of them. */
export function formatList(
  groups: readonly LetterGroup[],
  heads: readonly LetterHead[],
): readonly string[] {
  const total = groups.reduce((sum, { letters }) => sum + letters, 0)
  if (total === 0) return ['No dead letters.']
  const groupRows = groups.map((group) => [
    group.worker,
    group.source,
    group.reason,
    group.tenant,
    second(group.lastTime),
    short(group.lastDetail),
    String(group.letters),
  ])
  const headRows = heads.map((head) => [
    head.id,
    second(head.time),
    head.worker,
    placeOf(head),
    head.reason,
    head.tenant,
    short(head.detail),
    String(head.bytes),
  ])
  const rest = total - heads.length
  return [
    ...textTable([GROUP_COLUMNS, ...groupRows], GROUP_COLUMNS.length - 1),
    '',
    ...textTable([HEAD_COLUMNS, ...headRows], HEAD_COLUMNS.length - 1),
    ...(rest > 0 ? [`… and ${rest} older ones (--limit).`] : []),
  ]
}

/** Everything there is to know about a letter. */
export function formatLetter(letter: Letter): readonly string[] {
  const facts: readonly (readonly [string, string])[] = [
    ['id', letter.id],
    ['time', letter.time],
    ['refused by', letter.worker],
    ['came from', placeOf(letter)],
    ['reason', letter.reason],
    ['detail', letter.detail],
    ['tenant', letter.tenant],
    ['format', letter.format],
    ['bytes', String(letter.bytes)],
  ]
  return [...textTable(facts, 2), '', readable(letter) ?? hexDump(letter.payload)]
}

/** Where a letter came from: source, place in a topic, number of the span. */
function placeOf({ source, partition, offset, index }: LetterHead): string {
  const place = partition < 0 ? source : `${source}/${partition} at ${offset}`
  return index < 0 ? place : `${place}, span ${index}`
}

/** The bytes of a letter as JSON that a person can read and mend; undefined where they are none. */
export function readable({ format, payload }: Letter): string | undefined {
  const value = format === 'otlp_proto' ? otlpJson(payload) : parsed(format, payload)
  return value === undefined ? undefined : JSON.stringify(value, undefined, 2)
}

function parsed(format: string, payload: Buffer): unknown {
  if (!format.endsWith('_json')) return undefined
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}

const DUMP_BYTES = 1_024
const LINE_BYTES = 16

/** The first bytes as digits and as text, sixteen to a line. */
function hexDump(payload: Buffer): string {
  const shown = payload.subarray(0, DUMP_BYTES)
  const lines: string[] = []
  for (let at = 0; at < shown.length; at += LINE_BYTES) {
    const bytes = shown.subarray(at, at + LINE_BYTES)
    const digits = bytes
      .toString('hex')
      .replaceAll(/../g, '$& ')
      .padEnd(LINE_BYTES * 3)
    lines.push(
      `${at.toString(16).padStart(6, '0')}  ${digits} ${bytes.toString('latin1').replaceAll(/[^ -~]/g, '.')}`,
    )
  }
  const rest = payload.length - shown.length
  return [...lines, ...(rest > 0 ? [`… and ${rest} bytes more (export it).`] : [])].join('\n')
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL - 1)}…` : line
}

function second(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ')
}
