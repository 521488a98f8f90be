import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { otlpJsonToProto } from '../../services/ingest/otlp-json.ts'
import { MAX_VALUE_DEPTH } from '../../services/ingest/otlp-json-values.ts'
import { convertJson, decodeRequest, withSpan } from './otlp-samples.ts'

const withValue = (value: unknown) => withSpan({ attributes: [{ key: 'k', value }] })

describe('a value', () => {
  test('of any shape survives', () => {
    fc.assert(
      fc.property(anyValue, ({ json, meaning }) => {
        const { proto, rejected } = convertJson(withValue(json))
        expect(rejected).toEqual([])
        expect(decodeRequest(proto)).toEqual(
          withSpan({ attributes: [{ key: 'k', value: meaning }] }),
        )
      }),
      { seed: 11, numRuns: 500 },
    )
  })

  test.each([
    [{ intValue: '-9223372036854775808' }, { intValue: -(2n ** 63n) }],
    [{ intValue: '9223372036854775807' }, { intValue: 2n ** 63n - 1n }],
    [{ intValue: 12 }, { intValue: 12n }],
    [{ intValue: -3 }, { intValue: -3n }],
    [{ intValue: 2 ** 64 }, { doubleValue: 2 ** 64 }],
    [{ doubleValue: 'NaN' }, { doubleValue: Number.NaN }],
    [{ doubleValue: '-Infinity' }, { doubleValue: -Infinity }],
    [{ doubleValue: '1.5e-3' }, { doubleValue: 0.0015 }],
    [{ doubleValue: 3 }, { doubleValue: 3 }],
    [{ bytesValue: '_-8=' }, { bytesValue: 'ffef' }],
    [{ bytesValue: '/+8' }, { bytesValue: 'ffef' }],
    [{ stringValue: null, intValue: '1' }, { intValue: 1n }],
    [{ arrayValue: {} }, { arrayValue: {} }],
    [{ arrayValue: { values: null } }, { arrayValue: {} }],
    [{ arrayValue: { values: [null] } }, { arrayValue: { values: [{}] } }],
    [{ unknownValue: 1 }, {}],
  ])('%j is taken', (json, meaning) => {
    const { proto, rejected } = convertJson(withValue(json))
    expect(rejected).toEqual([])
    expect(decodeRequest(proto)).toEqual(withSpan({ attributes: [{ key: 'k', value: meaning }] }))
  })

  test(`may nest ${MAX_VALUE_DEPTH} levels and no more`, () => {
    const nested = (depth: number): unknown =>
      depth === 1 ? { intValue: 1 } : { arrayValue: { values: [nested(depth - 1)] } }
    expect(convertJson(withValue(nested(MAX_VALUE_DEPTH))).rejected).toEqual([])
    const { rejected } = convertJson(withValue(nested(MAX_VALUE_DEPTH + 1)))
    expect(rejected).toMatchObject([{ index: 0, reason: 'value_too_deep' }])
  })

  test('nested deeper than the stack is rejected, with a payload that is cut off', () => {
    const depth = 200_000
    const deep = `${'{"arrayValue":{"values":['.repeat(depth)}${']}}'.repeat(depth)}`
    const body = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","attributes":[{"key":"k","value":${deep}}]}]}]}]}`
    const conversion = otlpJsonToProto(Buffer.from(body))
    if (conversion.type === 'malformed') throw new Error(conversion.message)
    expect(conversion.rejected).toMatchObject([{ reason: 'value_too_deep' }])
    const payload: unknown = JSON.parse(conversion.rejected[0]?.payload.toString() ?? '')
    expect(payload).toMatchObject({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'x' }] }] }] })
  })
})

interface Sample {
  readonly json: Record<string, unknown>
  readonly meaning: Record<string, unknown>
}
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const sameInBoth = (name: string) => (value: unknown) => ({
  json: { [name]: value },
  meaning: { [name]: value },
})
const { anyValue } = fc.letrec<{ anyValue: Sample }>((tie) => ({
  anyValue: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constant({ json: {}, meaning: {} }),
    fc.string({ unit: 'binary' }).map(sameInBoth('stringValue')),
    fc.boolean().map(sameInBoth('boolValue')),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((number) => !Object.is(number, -0))
      .map(sameInBoth('doubleValue')),
    int64.map((value) => ({ json: { intValue: String(value) }, meaning: { intValue: value } })),
    fc.uint8Array().map((bytes) => ({
      json: { bytesValue: Buffer.from(bytes).toString('base64') },
      meaning: { bytesValue: Buffer.from(bytes).toString('hex') },
    })),
    fc.array(tie('anyValue'), { minLength: 1, maxLength: 4 }).map((values) => ({
      json: { arrayValue: { values: values.map(({ json }) => json) } },
      meaning: { arrayValue: { values: values.map(({ meaning }) => meaning) } },
    })),
    fc
      .array(fc.tuple(fc.string({ minLength: 1 }), tie('anyValue')), { minLength: 1, maxLength: 4 })
      .map((pairs) => ({
        json: { kvlistValue: { values: pairs.map(([key, { json }]) => ({ key, value: json })) } },
        meaning: {
          kvlistValue: { values: pairs.map(([key, { meaning }]) => ({ key, value: meaning })) },
        },
      })),
  ),
}))
