import { Amount } from './fold-amount.ts'
import { bucketsOf, HistogramCounts } from './llm-histogram.ts'

const NANO_PLACES = 9
const SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
]
const FIRST_TOKEN_SECONDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]
const OUTPUT_TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]

/** The buckets of OpenTelemetry's GenAI conventions, 1.41, "Generative AI metrics". */
const DURATION = bucketsOf(NANO_PLACES, SECONDS)
const FIRST_TOKEN = bucketsOf(NANO_PLACES, FIRST_TOKEN_SECONDS)
const OUTPUT_TOKEN = bucketsOf(NANO_PLACES, OUTPUT_TOKEN_SECONDS)
const TOKENS = bucketsOf(
  0,
  Array.from({ length: 14 }, (_, power) => 4 ** power),
)

/** What the calls of one label set come to, since the start: whole numbers alone. */
export class CallCounts {
  requests = 0
  priced = 0
  unpriced = 0
  /** Pico-USD of the priced ones. */
  readonly cost = new Amount()
  readonly duration = new HistogramCounts(DURATION)
  /** Time to first token, by the buckets of servers and by those of clients. */
  readonly firstToken = new HistogramCounts(FIRST_TOKEN)
  readonly firstChunk = new HistogramCounts(DURATION)
  readonly outputToken = new HistogramCounts(OUTPUT_TOKEN)
  readonly input = new HistogramCounts(TOKENS)
  readonly output = new HistogramCounts(TOKENS)
  readonly cacheRead = new Amount()
  readonly cacheWrite = new Amount()
  readonly reasoning = new Amount()

  addAll(other: CallCounts): void {
    this.requests += other.requests
    this.priced += other.priced
    this.unpriced += other.unpriced
    for (const sum of ['cost', 'cacheRead', 'cacheWrite', 'reasoning'] as const) {
      this[sum].addHalves(other[sum].high, other[sum].low)
    }
    this.duration.addAll(other.duration)
    this.firstToken.addAll(other.firstToken)
    this.firstChunk.addAll(other.firstChunk)
    this.outputToken.addAll(other.outputToken)
    this.input.addAll(other.input)
    this.output.addAll(other.output)
  }
}
