import { type Answer, isAccepted } from './load-client.ts'

/** Keeps what became of every request that was sent, and of each attempt. */
export interface Ledger {
  /** A new number for a request. */
  next(): number
  /** The number that comes next, and so the first of another ledger. */
  end(): number
  /** Notes one attempt. A request may be sent several times. */
  note(number: number, answer: Answer): void
  /** A request that was due when every sender still waited for an answer. */
  noteUnsent(): void
  totals(): LedgerTotals
  fateOf(number: number): Fate
}

/** What is known of a request after all its attempts. */
export type Fate = 'accepted' | 'refused' | 'unknown'

export interface LedgerTotals {
  readonly requests: number
  readonly accepted: number
  /** Answered, and never with 200. */
  readonly refused: number
  /** Not answered at least once, and never with 200. */
  readonly unknown: number
  /** Due when every sender still waited for an answer. */
  readonly unsent: number
  readonly attempts: number
  /** Attempts by status, and by why there is none. */
  readonly answers: Readonly<Record<string, number>>
  /** Attempts answered with 429 or 503, and those of them that say when to come again. */
  readonly backedOff: number
  readonly withRetryAfter: number
}

/** A request that left spans in ClickHouse, as landed.sql finds it. */
export interface Landed {
  readonly number: number
  readonly rows: number
  /** Of different trace and span ids. */
  readonly spans: number
}

/** Whether what was promised was kept. */
export interface Verdict {
  readonly acceptedSpans: number
  /** Spans of accepted requests that are not there. */
  readonly lost: number
  /** Rows beyond the first of a span, of whatever request. */
  readonly doubled: number
  /** Spans of requests whose sender was told to come again, or nothing: allowed, once each. */
  readonly unpromised: number
}

/** A ledger of the requests from this number on. */
export function createLedger(first: number): Ledger {
  const fates = new Map<number, Fate>()
  const answers = new Map<string, number>()
  let end = first
  let unsent = 0
  let attempts = 0
  let backedOff = 0
  let withRetryAfter = 0
  return {
    next: () => end++,
    end: () => end,
    note(number, answer) {
      attempts++
      const kind = answer.type === 'answered' ? String(answer.status) : answer.why
      answers.set(kind, (answers.get(kind) ?? 0) + 1)
      fates.set(number, fateAfter(fates.get(number), answer))
      if (!isBackedOff(answer)) return
      backedOff++
      if (answer.retryAfterS !== undefined) withRetryAfter++
    },
    noteUnsent: () => void unsent++,
    fateOf: (number) => fates.get(number) ?? 'unknown',
    totals() {
      const requests = end - first
      const accepted = count(fates, 'accepted')
      const refused = count(fates, 'refused')
      return {
        requests,
        accepted,
        refused,
        unknown: requests - accepted - refused,
        unsent,
        attempts,
        answers: Object.fromEntries([...answers].toSorted(([a], [b]) => a.localeCompare(b))),
        backedOff,
        withRetryAfter,
      }
    },
  }
}

function count(fates: ReadonlyMap<number, Fate>, fate: Fate): number {
  return [...fates.values()].filter((one) => one === fate).length
}

/** Whether a request was answered with the request to come again. */
export function isBackedOff(answer: Answer): answer is Answer & { readonly type: 'answered' } {
  return answer.type === 'answered' && (answer.status === 429 || answer.status === 503)
}

function fateAfter(before: Fate | undefined, answer: Answer): Fate {
  if (before === 'accepted' || isAccepted(answer)) return 'accepted'
  return before === 'unknown' || answer.type === 'unanswered' ? 'unknown' : 'refused'
}

/** Compares what was accepted with what is there, for each request of the ledger. */
export async function judge(
  ledger: Pick<Ledger, 'totals' | 'fateOf'>,
  spansPerRequest: number,
  landed: AsyncIterable<Landed> | Iterable<Landed>,
): Promise<Verdict> {
  const acceptedSpans = ledger.totals().accepted * spansPerRequest
  let kept = 0
  let doubled = 0
  let unpromised = 0
  for await (const { number, rows, spans } of landed) {
    doubled += rows - spans
    if (ledger.fateOf(number) === 'accepted') kept += Math.min(spans, spansPerRequest)
    else unpromised += spans
  }
  return { acceptedSpans, lost: acceptedSpans - kept, doubled, unpromised }
}

/** Several verdicts as one. */
export function sumVerdicts(verdicts: readonly Verdict[]): Verdict {
  const sum = (key: keyof Verdict) => verdicts.reduce((total, one) => total + one[key], 0)
  return {
    acceptedSpans: sum('acceptedSpans'),
    lost: sum('lost'),
    doubled: sum('doubled'),
    unpromised: sum('unpromised'),
  }
}
