import { type Detector, matchesOf } from './detector.ts'
import { HAS_AT, type Literal } from './feature-scan.ts'
import { endsEscape } from './text-edges.ts'

/** The sign itself, as a URL has it, and as JSON may have it, within JSON too. */
const AT_SIGN = /@|%40|\\{1,8}u0040/g
const LITERALS: readonly Literal[] = ['%40', 'u0040'].map((text) => ({
  text,
  feature: HAS_AT,
}))
const LOCAL = /[\p{L}\p{M}\p{N}._%+'-]/u
const MAX_LOCAL_LENGTH = 128
/** Labels with dots between them; the last is a top-level domain. */
const DOMAIN = /(?:[\p{L}\p{N}\u00b7-]{1,63}\.){1,8}(?:xn--[a-z0-9-]{2,59}|[\p{L}]{2,24})/iuy
/** Endings of files, and of no domain: icon@2x.png is not an address. */
const FILE_ENDINGS = /\.(?:png|jpe?g|gif|svg|webp|ico|css|js|ts|json|html?)$/i

/** Addresses of e-mail. */
export const email: Detector = {
  name: 'email',
  features: HAS_AT,
  literals: LITERALS,
  find: (text) =>
    matchesOf(text, AT_SIGN, (sign, at) => {
      const start = startOfLocal(text, at)
      DOMAIN.lastIndex = at + sign.length
      const domain = start === at ? null : DOMAIN.exec(text)
      if (domain === null || FILE_ENDINGS.test(domain[0])) return undefined
      return { start, end: DOMAIN.lastIndex }
    }),
  normalize: (match) => match.replace(AT_SIGN, '@').toLowerCase(),
}

/** Where the part before the sign begins; at the sign if there is none. */
function startOfLocal(text: string, at: number): number {
  let start = at
  while (start > 0 && at - start < MAX_LOCAL_LENGTH) {
    const code = text.charCodeAt(start - 1)
    // Half of a character beyond the first plane: such letters belong to an address as others do.
    const isHalf = code >= 0xd800 && code <= 0xdfff
    if (!isHalf && !LOCAL.test(text.charAt(start - 1))) break
    if (endsEscape(text, start)) break
    start--
  }
  while (start < at && /['.]/.test(text.charAt(start))) start++
  const code = text.charCodeAt(start)
  return code >= 0xdc00 && code <= 0xdfff ? start + 1 : start
}
