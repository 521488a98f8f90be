import type { ExplainedSpan } from './explain.ts'

const MAX_VALUE_LENGTH = 60

/** Spans as they came and as they are understood, for a person to read. */
export function renderSpans(spans: readonly ExplainedSpan[]): string {
  return spans.map((span, index) => `${renderSpan(span, index)}\n`).join('\n')
}

function renderSpan(span: ExplainedSpan, index: number): string {
  const before = Object.entries(span.before).map(([key, value]) => [key, short(value)])
  const after = span.fields.map(({ field, value, from }) => [field, short(value), from])
  const kept = Object.entries(span.attributes).map(([key, value]) => [key, short(value)])
  return [
    `span ${index}: ${span.name}`,
    section('before', before),
    section('after', after),
    section('attributes that remain', kept),
    section(
      'content, kept or dropped with the prompt',
      span.content.map((key) => [key]),
    ),
  ]
    .filter((text) => text !== '')
    .join('\n')
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(column < row.length - 1 ? (widths[column] ?? 0) : 0))
      .join('  '),
  )
  return [`  ${title}`, ...lines.map((line) => `    ${line}`)].join('\n')
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= MAX_VALUE_LENGTH ? line : `${line.slice(0, MAX_VALUE_LENGTH - 1)}…`
}
