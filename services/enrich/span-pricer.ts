import type { AvroWriter } from '#schemas/wire.ts'
import { CostSheet } from './cost-sheet.ts'
import type { PriceBook } from './price-book.ts'
import {
  flagsOf,
  isImpossible,
  NESTED,
  NOT_APPLICABLE,
  type Settlement,
  settle,
} from './price-call.ts'
import { writeNoPrice, writePrice } from './price-writer.ts'
import { count, type PricingTally, type UnpricedModel } from './pricing-tally.ts'
import type { Quote, QuoteAt } from './quotes.ts'
import { fieldIndex, type SpanView } from './span-view.ts'
import type { Usage } from './usage.ts'

const TENANT = fieldIndex('tenant')
const START_TIME = fieldIndex('start_time_unix_nano')
const PROVIDER = fieldIndex('provider')
const REQUEST_MODEL = fieldIndex('request_model')
const RESPONSE_MODEL = fieldIndex('response_model')
const OPERATION = fieldIndex('operation')
const INPUT = fieldIndex('input_tokens')
const OUTPUT = fieldIndex('output_tokens')
const CACHE_READ = fieldIndex('cache_read_tokens')
const CACHE_WRITE_5M = fieldIndex('cache_write_5m_tokens')
const CACHE_WRITE_1H = fieldIndex('cache_write_1h_tokens')
const REASONING = fieldIndex('reasoning_tokens')
const INPUT_AUDIO = fieldIndex('input_audio_tokens')
const OUTPUT_AUDIO = fieldIndex('output_audio_tokens')
const INPUT_IMAGE = fieldIndex('input_image_tokens')
const OUTPUT_IMAGE = fieldIndex('output_image_tokens')
const WEB_SEARCHES = fieldIndex('web_searches')
const SERVICE_TIER = fieldIndex('service_tier')
const REPORTED_COST = fieldIndex('reported_cost_pico_usd')
const FLAGS = fieldIndex('flags')

const NANOS_PER_MS = 1_000_000
const MAX_KNOWN_MODELS = 10_000

interface KnownModel extends UnpricedModel {
  readonly quoteAt: QuoteAt
}

/**
 * Prices spans where they stand: what createCallPricer does for calls, without making objects of them.
 * Written fields are those of enriched-span.avsc from cost_pico_usd to cost_parts.
 */
export class SpanPricer {
  readonly #book: PriceBook
  readonly #tally: PricingTally
  readonly #sheet = new CostSheet()
  /** By service tier and class of tenants, then by the bytes of provider and models, which stand together. */
  readonly #known = new Map<string, Map<string, KnownModel>>()
  #size = 0

  constructor(book: PriceBook, tally: PricingTally) {
    this.#book = book
    this.#tally = tally
  }

  /** Writes the price of a step that calls no model. */
  skip(out: AvroWriter): void {
    writeNoPrice(out, NOT_APPLICABLE)
    count(this.#tally.statuses, NOT_APPLICABLE.status)
  }

  /** Writes the price of a call that is counted in a span below it. */
  skipNested(out: AvroWriter): void {
    writeNoPrice(out, NESTED)
    count(this.#tally.statuses, NESTED.status)
  }

  /** Writes the price of a model call; `tenant` is undefined where rules left it as the span has it. */
  price(view: SpanView, tenant: string | undefined, out: AvroWriter): void {
    const model = this.#find(view, tenant)
    const quote = model.quoteAt(view.long(START_TIME) / NANOS_PER_MS)
    const isMarked = !view.isEmpty(FLAGS) && view.strings(FLAGS).some(isImpossible)
    const result = settle(quote, readUsage(view), isMarked, this.#sheet)
    writePrice(out, quote, result, this.#sheet)
    this.#count(view, model, quote, result)
  }

  #count(view: SpanView, model: KnownModel, quote: Quote, result: Settlement): void {
    const tally = this.#tally
    count(tally.statuses, result.status)
    for (const flag of flagsOf(quote, result)) count(tally.flags, flag)
    if (result.status === 'unpriced') count(tally.unpriced, model)
    if (result.status !== 'priced' || view.isEmpty(REPORTED_COST)) return
    tally.reportedPicoUsd += view.nullableLong(REPORTED_COST) ?? 0
    tally.computedPicoUsd += Number(this.#sheet.exact?.total ?? this.#sheet.total)
  }

  #find(view: SpanView, tenant: string | undefined): KnownModel {
    const { starts, reader } = view
    const terms = this.#terms(view, tenant)
    const key = reader.buffer.toString('latin1', starts[PROVIDER], starts[OPERATION])
    const found = this.#known.get(terms)?.get(key)
    if (found !== undefined) return found
    if (this.#size++ >= MAX_KNOWN_MODELS) {
      this.#known.clear()
      this.#size = 1
    }
    const model = this.#ask(view, tenant)
    const models = this.#known.get(terms) ?? new Map<string, KnownModel>()
    this.#known.set(terms, models.set(key, model))
    return model
  }

  /** What prices depend on beside the model; nearly always empty. */
  #terms(view: SpanView, tenant: string | undefined): string {
    const book = this.#book
    const group = book.hasTenants ? book.tenantClass(tenant ?? view.text(TENANT)) : ''
    if (view.isEmpty(SERVICE_TIER)) return group
    const tier = view.text(SERVICE_TIER)
    return group === '' ? `${tier}/` : `${tier}/${group}`
  }

  #ask(view: SpanView, tenant: string | undefined): KnownModel {
    const provider = view.text(PROVIDER)
    const requestModel = view.text(REQUEST_MODEL)
    const responseModel = view.text(RESPONSE_MODEL)
    const quoteAt = this.#book.find({
      provider,
      requestModel,
      responseModel,
      serviceTier: view.text(SERVICE_TIER),
      tenant: tenant ?? view.text(TENANT),
    })
    return { quoteAt, provider, model: responseModel === '' ? requestModel : responseModel }
  }
}

function readUsage(view: SpanView): Usage {
  return {
    input: view.nullableLong(INPUT),
    output: view.nullableLong(OUTPUT),
    cacheRead: view.nullableLong(CACHE_READ),
    cacheWrite5m: view.nullableLong(CACHE_WRITE_5M),
    cacheWrite1h: view.nullableLong(CACHE_WRITE_1H),
    reasoning: view.nullableLong(REASONING),
    inputAudio: view.nullableLong(INPUT_AUDIO),
    outputAudio: view.nullableLong(OUTPUT_AUDIO),
    inputImage: view.nullableLong(INPUT_IMAGE),
    outputImage: view.nullableLong(OUTPUT_IMAGE),
    webSearches: view.nullableLong(WEB_SEARCHES),
  }
}
