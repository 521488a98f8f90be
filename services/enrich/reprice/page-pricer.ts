import { type Call, NESTED, type Price } from '../price-call.ts'
import type { CallPage } from './calls.ts'
import { findNested } from './nested.ts'
import { isSamePrice, type StoredCall, toCall } from './stored-call.ts'

/** A stored call, and its price where that is another today. */
export interface PageCall {
  readonly stored: StoredCall
  /** Undefined: it stays as it is. */
  readonly newPrice: Price | undefined
}

export interface PricedPage {
  readonly calls: readonly PageCall[]
  /**
   * Calls that share their key with one of another price. A correction could not say which of them it
   * means, so they are left as they are.
   */
  readonly ambiguous: number
}

/** Prices the calls of a page by today's prices. */
export type PagePricer = (page: CallPage) => PricedPage

/** A pricer of pages over one of calls. */
export function createPagePricer(priceCall: (call: Call) => Price): PagePricer {
  return (page) => {
    const isNested = findNested(page)
    const priced = page.calls.map((stored) => ({
      stored,
      price: isNested(stored) ? NESTED : priceCall(toCall(stored)),
    }))
    const ambiguous = ambiguousKeys(priced)
    return {
      calls: priced.map(({ stored, price }) => {
        const stays =
          ambiguous.has(stored.key) || isSamePrice(stored, price) || isUndecided(stored, page)
        return { stored, newPrice: stays ? undefined : price }
      }),
      ambiguous: page.calls.filter(({ key }) => ambiguous.has(key)).length,
    }
  }
}

/** Whether a call was found to be nested as it came, in a trace that is too large to look at again. */
function isUndecided({ price_status: status, trace_id: traceId }: StoredCall, page: CallPage) {
  return status === 'nested' && page.largeTraces.has(traceId)
}

interface Priced {
  readonly stored: StoredCall
  readonly price: Price
}

function ambiguousKeys(priced: readonly Priced[]): ReadonlySet<string> {
  const first = new Map<string, Price>()
  const ambiguous = new Set<string>()
  for (const { stored, price } of priced) {
    const other = first.get(stored.key)
    if (other === undefined) first.set(stored.key, price)
    else if (!areEqual(other, price)) ambiguous.add(stored.key)
  }
  return ambiguous
}

function areEqual(a: Price, b: Price): boolean {
  return (
    a.status === b.status &&
    a.costPicoUsd === b.costPicoUsd &&
    a.model === b.model &&
    a.parts.length === b.parts.length &&
    a.parts.every((part, i) => {
      const other = b.parts[i]
      return other !== undefined && part.part === other.part && part.units === other.units
    })
  )
}
