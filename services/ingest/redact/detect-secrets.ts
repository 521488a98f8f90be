import { asItStands, type Detector, matchesOf } from './detector.ts'
import { HAS_AT, HAS_SECRET, HAS_TOKEN, type Literal } from './feature-scan.ts'
import { startsWord, type TextRange } from './text-edges.ts'

/** Keys that say by their first letters what they are: these letters, and the pattern of all of it. */
const KEYS: readonly (readonly [string, string])[] = [
  ['sk-', 'sk-[A-Za-z0-9_-]{20,}'],
  ['sk_live_', 'sk_live_[A-Za-z0-9]{16,}'],
  ['sk_test_', 'sk_test_[A-Za-z0-9]{16,}'],
  ['rk_live_', 'rk_live_[A-Za-z0-9]{16,}'],
  ['AKIA', 'AKIA[A-Z0-9]{16}'],
  ['ASIA', 'ASIA[A-Z0-9]{16}'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map(
    (start) => [start, `${start}[A-Za-z0-9]{30,}`] as const,
  ),
  ['github_pat_', 'github_pat_[A-Za-z0-9_]{22,}'],
  ...['xoxa-', 'xoxb-', 'xoxe-', 'xoxp-', 'xoxr-', 'xoxs-', 'xapp-'].map(
    (start) => [start, `${start}[A-Za-z0-9-]{10,}`] as const,
  ),
  ['AIza', 'AIza[A-Za-z0-9_-]{30,}'],
  ['ya29.', 'ya29\\.[A-Za-z0-9_-]{20,}'],
  ['glpat-', 'glpat-[A-Za-z0-9_-]{20,}'],
  ['sm_', 'sm_[A-Za-z0-9-]{1,64}_[A-Za-z0-9_-]{40,}'],
  ['hf_', 'hf_[A-Za-z0-9]{30,}'],
  ['gsk_', 'gsk_[A-Za-z0-9]{40,}'],
  ['npm_', 'npm_[A-Za-z0-9]{36}'],
  ['pypi-', 'pypi-[A-Za-z0-9_-]{50,}'],
  ['r8_', 'r8_[A-Za-z0-9]{30,}'],
  ['xai-', 'xai-[A-Za-z0-9]{40,}'],
  ['pplx-', 'pplx-[A-Za-z0-9]{40,}'],
  ['dop_v1_', 'dop_v1_[a-f0-9]{64}'],
  ['shpat_', 'shpat_[A-Fa-f0-9]{32}'],
  ['SG.', 'SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,}'],
  ['AccountKey=', 'AccountKey=[A-Za-z0-9+/]{40,}={0,2}'],
]
const KEY = new RegExp(KEYS.map(([, pattern]) => pattern).join('|'), 'g')
const literalsOf = (texts: readonly string[], feature: number): readonly Literal[] =>
  texts.map((text) => ({ text, feature }))

/** What a client sends to say who it is: what stands behind the scheme is the secret. */
const BEARER = /(?:Bearer|bearer|BEARER)(?: |\+|%20){1,4}([A-Za-z0-9._~+/-]{16,}={0,2})/g
const BASIC = /(?:Basic|basic|BASIC)(?: |\+|%20)([A-Za-z0-9+/]{12,}={0,2})/g
const SCHEMES = ['Bearer', 'bearer', 'BEARER', 'Basic', 'basic', 'BASIC']
/** A password within a URL, up to the sign before the host. */
const PASSWORD = /:\/\/[^\s:@/"\\]{0,128}:([^\s@/"\\]{1,256})@/g
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/g
const PRIVATE_KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g

/** Keys and passwords of services. */
export const apiKey: Detector = {
  name: 'api_key',
  features: HAS_SECRET | HAS_AT,
  literals: literalsOf([...KEYS.map(([start]) => start), ...SCHEMES, 'PRIVATE KEY'], HAS_SECRET),
  find: (text, features) => [
    ...((features & HAS_SECRET) === 0 ? [] : secretsOf(text)),
    ...capturesOf(text, PASSWORD, () => true),
  ],
  normalize: asItStands,
}

function secretsOf(text: string): readonly TextRange[] {
  return [
    ...matchesOf(text, KEY, (match, start) =>
      startsWord(text, start) ? { start, end: start + match.length } : undefined,
    ),
    ...capturesOf(text, BEARER, () => true),
    // Words follow upon this one, too: letters in both cases, or a digit, tell a secret from them.
    ...capturesOf(text, BASIC, (secret) => /\d|[a-z][A-Z]/.test(secret)),
    ...privateKeysOf(text),
  ]
}

/** The first group of each match. */
function capturesOf(text: string, pattern: RegExp, accept: (secret: string) => boolean) {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const secret = match[1] ?? ''
    const start = match.index + match[0].lastIndexOf(secret)
    return accept(secret) ? [{ start, end: start + secret.length }] : []
  })
}

/** From the first line to the last one, or to the end of a text that was cut. */
function privateKeysOf(text: string): readonly TextRange[] {
  return matchesOf(text, PRIVATE_KEY, (_match, start) => {
    PRIVATE_KEY_END.lastIndex = start
    const end = PRIVATE_KEY_END.exec(text)
    return { start, end: end === null ? text.length : end.index + end[0].length }
  })
}

const TOKEN = /eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}/y
const TOKEN_RUN = /[A-Za-z0-9_-]*/y

/** JSON Web Tokens, signed (RFC 7519) or encrypted. */
export const jwt: Detector = {
  name: 'jwt',
  features: HAS_TOKEN,
  literals: literalsOf(['eyJ'], HAS_TOKEN),
  find(text) {
    const found: TextRange[] = []
    let start = text.indexOf('eyJ')
    while (start >= 0) {
      if (!startsWord(text, start)) {
        start = text.indexOf('eyJ', start + 1)
        continue
      }
      const end = endAt(TOKEN, text, start)
      if (end > start) found.push({ start, end })
      // What is none is none further on in the same run, which is so looked through once.
      start = text.indexOf('eyJ', end > start ? end : endAt(TOKEN_RUN, text, start))
    }
    return found
  },
  normalize: asItStands,
}

/** Where a sticky pattern's match ends; 0 without one. */
function endAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : 0
}
