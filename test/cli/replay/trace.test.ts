import { readFileSync } from 'node:fs'
import { SpanKind } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { parseWorkload } from '../../../services/cli/replay/csv.ts'
import type { SpanSpec } from '../../../services/cli/replay/span.ts'
import { makeTrace } from '../../../services/cli/replay/trace.ts'
import { errorKinds, models } from '../../../services/cli/replay/workload.ts'

const file = new URL(
  '../../../examples/data/azure-llm-inference-2023-conversation.csv',
  import.meta.url,
)
const rows = parseWorkload(readFileSync(file, 'utf8'), 'sample')
const firstRequestNs = rows[0]?.timeNs ?? 0n
const options = { seed: 1, shiftNs: 0n, firstRequestNs }
const traces = rows.map((row, index) => ({ row, spans: makeTrace(row, index, options) }))
const calls = traces.flatMap(({ spans }) => spans.filter(({ call }) => call))
const share = (spans: readonly SpanSpec[]) => spans.length / calls.length

const names = (spans: readonly SpanSpec[]) => spans.map(({ name }) => name)
/** What a span is, without its model, tool or route. */
const kind = (name?: string) => name?.split(' ')[0] ?? ''
const under = (parent: string) =>
  ['route_request', 'retrieval', 'chat', 'execute_tool'].map((name) => `${parent} > ${name}`)

describe('the tree of a trace', () => {
  it('has one root, whose time holds every other span, and only known parents', () => {
    for (const { row, spans } of traces) {
      const byId = new Map(spans.map((span) => [span.spanId, span]))
      expect(byId.size).toBe(spans.length)
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
      const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
      expect(roots).toHaveLength(1)
      expect(roots[0]?.startNs).toBe(row.timeNs)
      for (const span of spans) {
        const parent = span.parentSpanId === undefined ? span : byId.get(span.parentSpanId)
        if (!parent) throw new Error(`${span.name} has an unknown parent`)
        expect(parent.startNs <= span.startNs && span.endNs <= parent.endNs).toBe(true)
        expect(span.isParentRemote).toBe(parent.service !== span.service)
      }
    }
  })

  it('puts routing, retrieval, call and tools under the root and reranking under retrieval', () => {
    const parents = new Set<string>()
    for (const { spans } of traces) {
      for (const span of spans) {
        const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
        parents.add(`${kind(parent?.name)} > ${kind(span.name)}`)
      }
    }
    expect([...parents].sort()).toEqual(
      [
        ' > POST',
        ' > invoke_workflow',
        'retrieval > rerank',
        ...under('POST'),
        ...under('invoke_workflow'),
      ].sort(),
    )
  })

  it('has about five spans', () => {
    const spans = traces.reduce((sum, trace) => sum + trace.spans.length, 0)
    expect(spans / traces.length).toBeGreaterThan(4.5)
    expect(spans / traces.length).toBeLessThan(5.5)
  })
})

describe('the LLM call', () => {
  it('carries the tokens of its row, once per trace', () => {
    for (const { row, spans } of traces) {
      const used = spans.filter((span) => 'gen_ai.usage.input_tokens' in span.attributes)
      const failed = spans.some(({ call }) => call?.errorType !== undefined)
      expect(used).toHaveLength(failed ? 0 : 1)
      if (failed) continue
      expect(used[0]?.attributes['gen_ai.usage.input_tokens']).toBe(row.inputTokens)
      expect(used[0]?.attributes['gen_ai.usage.output_tokens']).toBe(row.outputTokens)
    }
  })

  it('keeps every part within its whole', () => {
    for (const { attributes, startNs, endNs } of calls) {
      const number = (key: string) => Number(attributes[key] ?? 0)
      const cached = number('gen_ai.usage.cache_read.input_tokens')
      const reasoning = number('gen_ai.usage.reasoning.output_tokens')
      expect(cached).toBeLessThanOrEqual(number('gen_ai.usage.input_tokens'))
      expect(reasoning).toBeLessThanOrEqual(number('gen_ai.usage.output_tokens'))
      const firstChunkNs = number('gen_ai.response.time_to_first_chunk') * 1e9
      expect(firstChunkNs).toBeLessThanOrEqual(Number(endNs - startNs) + 1000)
    }
  })

  it('follows the documented mix of models', () => {
    for (const { model, weight } of models) {
      const found = share(calls.filter(({ call }) => call?.model === model))
      expect(Math.abs(found - weight)).toBeLessThan(0.01)
    }
  })

  it('fails in the documented ways and shares, without usage or response', () => {
    for (const failure of errorKinds) {
      const failed = calls.filter(({ call }) => call?.errorType === failure.type)
      expect(Math.abs(share(failed) - failure.share)).toBeLessThan(0.0015)
      for (const { attributes, error } of failed) {
        expect(attributes['error.type']).toBe(failure.type)
        expect(error?.type).toBe(failure.type)
        const answered = Object.keys(attributes).filter((key) =>
          /usage|response\.(id|model|finish)|output\.messages/.test(key),
        )
        expect(answered).toEqual([])
      }
    }
  })

  it('has the attributes of the GenAI conventions', () => {
    const call = calls.find(
      ({ call: facts }) => facts?.model === 'gpt-4o' && facts.cacheReadTokens > 0,
    )
    expect(call?.kind).toBe(SpanKind.CLIENT)
    expect(call?.name).toBe('chat gpt-4o')
    expect(call?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.response.model': 'gpt-4o-2024-08-06',
      'gen_ai.request.temperature': expect.any(Number),
      'gen_ai.request.top_p': expect.any(Number),
      'gen_ai.request.max_tokens': expect.any(Number),
      'gen_ai.response.finish_reasons': [expect.any(String)],
      'gen_ai.conversation.id': expect.stringMatching(/^conv-/),
      'gen_ai.prompt.name': expect.any(String),
      'http.route': expect.stringMatching(/^\/v1\//),
      'tenant.id': expect.any(String),
      'user.tier': expect.any(String),
    })
    for (const key of ['gen_ai.input.messages', 'gen_ai.output.messages']) {
      expect(JSON.parse(String(call?.attributes[key]))).toMatchObject([{ parts: [{}] }])
    }
  })
})

describe('makeTrace', () => {
  it('depends on its row, index and options alone', () => {
    const row = rows[100]
    if (!row) throw new Error('the sample is too short')
    expect(makeTrace(row, 100, options)).toEqual(traces[100]?.spans)
  })

  it('keeps everything but times and ids when the workload is shifted', () => {
    const row = rows[100]
    if (!row) throw new Error('the sample is too short')
    const shifted = makeTrace(row, 100, { ...options, shiftNs: 5n })
    expect(names(shifted)).toEqual(names(traces[100]?.spans ?? []))
    expect(shifted[0]?.startNs).toBe(row.timeNs + 5n)
    expect(shifted[0]?.traceId).not.toBe(traces[100]?.spans[0]?.traceId)
  })

  it('knows a few hundred users, of whom the first send the most', () => {
    const counts = new Map<string, number>()
    for (const { attributes } of calls) {
      const user = String(attributes['user.id'])
      counts.set(user, (counts.get(user) ?? 0) + 1)
    }
    expect(counts.size).toBeGreaterThan(350)
    expect(counts.get('globex-user-01')).toBe(Math.max(...counts.values()))
  })
})
