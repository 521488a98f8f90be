import { MODEL_CALL_KINDS } from '#schemas/topics.ts'
import { fieldIndex } from './dialects.ts'
import { ABSENT, IN_BYTES, WORKED_OUT } from './field-slots.ts'
import { createKeyTable } from './key-table.ts'
import type { ProtoReader } from './otlp-reader.ts'
import type { ProviderNames } from './provider-names.ts'
import { REMAINS, type SpanDraft } from './span-draft.ts'

/** Names in use, which need no look-up; they are looked up once to be sure that they are canonical. */
const USUAL = [
  'openai',
  'anthropic',
  'azure.ai.openai',
  'aws.bedrock',
  'gcp.gemini',
  'gcp.vertex_ai',
]
const MAX_KNOWN = 10_000
const SERVER_ADDRESS = Buffer.from('server.address')
const SERVER_PORT = Buffer.from('server.port')

/** Brings the provider of the span in the draft to its canonical name, or finds one for a model call. */
export type SettleProvider = (reader: ProtoReader, kind: string) => void

/** Makes the step that settles the provider. What was told otherwise remains an attribute. */
export function createProviderSettler(draft: SpanDraft, names: ProviderNames): SettleProvider {
  const { slots, dialects } = draft
  const provider = fieldIndex(dialects, 'provider')
  const models = [fieldIndex(dialects, 'request_model'), fieldIndex(dialects, 'response_model')]
  const canonical = createKeyTable(USUAL.filter((name) => names.canonical(name) === name))
  const known = new Map<string, string>()
  const lookUp = (name: string): string => {
    const found = known.get(name) ?? names.canonical(name)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(name, found)
    return found
  }
  const guess = (reader: ProtoReader): string => {
    for (const model of models) {
      const found = names.fromModel(slots.textOf(model, reader))
      if (found !== '') return found
    }
    const textOf = (key: Buffer): string => {
      const index = draft.find(reader.buffer, key)
      return index < 0 ? '' : draft.textOf(reader, index)
    }
    const host = textOf(SERVER_ADDRESS)
    const port = textOf(SERVER_PORT)
    return host === '' ? '' : names.fromHost(port === '' ? host : `${host}:${port}`)
  }
  return (reader, kind) => {
    if (slots.place[provider] === ABSENT) {
      const found = MODEL_CALL_KINDS.includes(kind) ? guess(reader) : ''
      slots.fillText(provider, WORKED_OUT, 1, found)
      return
    }
    if (slots.place[provider] === IN_BYTES) {
      const start = slots.start[provider] ?? 0
      if (canonical.find(reader.buffer, start, slots.end[provider] ?? 0) >= 0) return
    }
    const told = slots.textOf(provider, reader)
    const name = lookUp(told)
    if (name === told) return
    const attribute = slots.filledBy[provider] ?? -1
    if (attribute >= 0) draft.fate[attribute] = REMAINS
    slots.setText(provider, name)
  }
}
