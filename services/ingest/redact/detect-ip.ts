import { isIPv6 } from 'node:net'
import { asItStands, type Detector, matchesOf } from './detector.ts'
import { HAS_COLONS, HAS_DOTTED_NUMBERS } from './feature-scan.ts'
import { isAlphanumeric, isWholeNumber, startsWord, type TextRange } from './text-edges.ts'

const IPV4 = /\d{1,3}(?:\.\d{1,3}){3}/g
const IPV6 = /[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:(?:\.\d{1,3}){3})?/gi
/** Addresses of the machine itself, or of none. */
const NOBODY = /^(?:127\.|0\.0\.0\.0$)/
/** Before it stands the name of a program: Chrome/120.0.0.0 is a version. */
const PROGRAM = /[A-Za-z]\/$/

/** Addresses of IPv4 and IPv6. */
export const ip: Detector = {
  name: 'ip',
  features: HAS_DOTTED_NUMBERS | HAS_COLONS,
  literals: [],
  find(text) {
    const six = matchesOf(text, IPV6, (match, start) => findIpv6(text, match, start))
    const four = matchesOf(text, IPV4, (match, start) => {
      const range = { start, end: start + match.length }
      return isIpv4(text, match, range) ? range : undefined
    })
    return [...six, ...four]
  },
  normalize: asItStands,
}

function isIpv4(text: string, match: string, range: TextRange): boolean {
  if (!isWholeNumber(text, range) || NOBODY.test(match)) return false
  if (PROGRAM.test(text.slice(Math.max(0, range.start - 2), range.start))) return false
  return match.split('.').every((part) => Number(part) <= 255)
}

/** Two groups and a digit at least, which a::b of a programming language has not. */
function findIpv6(text: string, match: string, at: number): TextRange | undefined {
  const leading = /^:(?!:)/.test(match) ? 1 : 0
  const trailing = /(?<!:):$/.test(match) ? 1 : 0
  const address = match.slice(leading, match.length - trailing)
  const start = at + leading
  const end = start + address.length
  if (isAlphanumeric(text.charCodeAt(end)) || !startsWord(text, start)) return undefined
  const groups = address.split(':').filter((group) => group !== '')
  if (groups.length < 2 || !/\d/.test(address)) return undefined
  return isIPv6(address) ? { start, end } : undefined
}
