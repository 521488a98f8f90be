import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBlock } from '../../schemas/batch.ts'
import { batchBody } from '../../schemas/codec.ts'
import { createLayout } from '../../schemas/layout.ts'
import { schemas } from '../../schemas/topics.ts'
import { AvroReader } from '../../schemas/wire.ts'
import { SpanWalk } from '../../services/alert/llm-span-walk.ts'
import { anySpan, encodeSpans } from './fold-items.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const layout = createLayout(schemas.enrichedSpan)
const all = [...layout.names.keys()]
const isString = (field: number) => layout.strings.has(layout.names[field] ?? '')

/** Strings longer than a byte tells, and maps of more entries than that. */
const anyLongSpan = fc
  .tuple(anySpan, fc.constantFrom('name', 'tenant', 'price_status'), fc.boolean())
  .map(([span, field, isWide]) => ({
    ...span,
    [field]: 'x'.repeat(1_000),
    ...(isWide
      ? { attributes: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'v'])) }
      : {}),
  }))

test('Fields that are asked for stand where the layout finds them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anySpan, anyLongSpan), { minLength: 1, maxLength: 6 }),
      fc.subarray(all.filter(isString)),
      (spans, asked) => {
        const body = batchBody(encodeSpans(spans))
        const { count, start, end } = readBlock(body)
        const walk = new SpanWalk(new Set(asked))
        const reader = new AvroReader(body, start)
        const expected = new Uint32Array(all.length)
        const starts = new Uint32Array(all.length)
        const told = all.filter((field) => asked.includes(field) || !isString(field))
        let at = start
        for (let i = 0; i < count; i++) {
          layout.locate(reader, expected)
          at = walk.locate(body, at, starts)
          expect(told.map((field) => starts[field])).toEqual(told.map((field) => expected[field]))
          expect(at).toBe(reader.position)
        }
        expect(at).toBe(end)
      },
    ),
    { seed: SEED, numRuns: 300 },
  )
}, 60_000)
