import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DETECTORS } from '../../../services/ingest/redact/detectors.ts'
import { policiesOf, redact } from './policies.ts'

const KEY_40 = 'abcdefghijABCDEFGHIJ0123456789abcdefghij'

/** Texts and what they become. */
const FOUND: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'e-mail': [
    ['bob@example.com', '[email]'],
    ['mail Bob.Smith+tag@mail.example.co.uk.', 'mail [email].'],
    ['<bob@example.com>,amy@example.org', '<[email]>,[email]'],
    ['{"to":"bob@example.com"}', '{"to":"[email]"}'],
    [String.raw`"hello\nbob@example.com\n"`, String.raw`"hello\n[email]\n"`],
    [String.raw`bob\u0040example.com`, '[email]'],
    [String.raw`\u003cbob\u0040example.com\u003e`, String.raw`\u003c[email]\u003e`],
    [String.raw`{\"a\":\"bob\\u0040example.com\"}`, String.raw`{\"a\":\"[email]\"}`],
    ['?to%3Dbob%40example.com&x=1', '?to%3D[email]&x=1'],
    ["o'brien@example.com", '[email]'],
    ["'bob@example.com'", "'[email]'"],
    ['jürgen@müller.de', '[email]'],
    ['x@xn--mller-kva.de', '[email]'],
  ],
  phone: [
    ['call +49 171 1234567 now', 'call [phone] now'],
    ['+14155552671', '[phone]'],
    ['+1 (415) 555-2671', '[phone]'],
    ['+44 20 7946 0958', '[phone]'],
    ['(415) 555-2671', '[phone]'],
    ['415-555-2671, 415.555.2671', '[phone], [phone]'],
    ['030/12345678', '[phone]'],
    ['020 7946 0958', '[phone]'],
    ['01 23 45 67 89', '[phone]'],
    ['%2B491711234567', '[phone]'],
    [String.raw`tel:\n+491711234567`, String.raw`tel:\n[phone]`],
    ['+49\u00a0171\u00a01234567', '[phone]'],
  ],
  card: [
    ['4111111111111111', '[card]'],
    ['pay 4111 1111 1111 1111 12/25', 'pay [card] 12/25'],
    ['5500-0000-0000-0004', '[card]'],
    ['378282246310005', '[card]'],
    ['3782 822463 10005', '[card]'],
    ['6011111111111117', '[card]'],
    [String.raw`{"n":"card:\n4111111111111111"}`, String.raw`{"n":"card:\n[card]"}`],
    ['{"n":4111111111111111}', '{"n":"[card]"}'],
    ['card_4111111111111111_x', 'card_[card]_x'],
  ],
  IBAN: [
    ['DE89370400440532013000', '[iban]'],
    ['DE89 3704 0044 0532 0130 00 please', '[iban] please'],
    ['GB29NWBK60161331926819', '[iban]'],
    ['to FR14 2004 1010 0505 0001 3M02 606.', 'to [iban].'],
    [String.raw`\nde89370400440532013000`, String.raw`\n[iban]`],
  ],
  'national id': [
    ['SSN 078-05-1120', 'SSN [national_id]'],
    ['12345678Z', '[national_id]'],
    ['X1234567L', '[national_id]'],
    ['529.982.247-25', '[national_id]'],
    ['52998224725', '[national_id]'],
    ['44051401359', '[national_id]'],
    ['RSSMRA85T10A562S', '[national_id]'],
    ['255081416802538', '[national_id]'],
    ['11010519491231002X', '[national_id]'],
  ],
  address: [
    ['from 203.0.113.7:443', 'from [ip]:443'],
    ['http://203.0.113.7/x', 'http://[ip]/x'],
    ['2001:db8::1', '[ip]'],
    ['[2001:db8:0:0:8:800:200c:417a]:80', '[[ip]]:80'],
    ['ip:2001:db8::1, x', 'ip:[ip], x'],
    ['::ffff:203.0.113.7', '[ip]'],
  ],
  secret: [
    ['sk-proj-abcdefghij0123456789', '[api_key]'],
    ['sk-ant-api03-abcdefghij0123456789', '[api_key]'],
    ['AKIAIOSFODNN7EXAMPLE', '[api_key]'],
    [`ghp_${KEY_40}`, '[api_key]'],
    ['xoxb-1234567890-abcdef', '[api_key]'],
    [`AIza${KEY_40}`, '[api_key]'],
    [`glpat-${KEY_40}`, '[api_key]'],
    [`sm_k1_${KEY_40}abc`, '[api_key]'],
    ['Authorization: Bearer abcdef0123456789xyz', 'Authorization: Bearer [api_key]'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [api_key]'],
    ['postgres://app:hunter2@db:5432/x', 'postgres://app:[api_key]@db:5432/x'],
    [
      String.raw`-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x`,
      '[api_key] x',
    ],
    ['-----BEGIN PRIVATE KEY-----\nMIIE and what follows', '[api_key]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '[jwt]'],
    ['token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.', 'token=[jwt]'],
  ],
}

/** What looks alike, and must survive. */
const KEPT: readonly string[] = [
  '5b8efff798038103d269b633813fc60c',
  '12345678901234567890123456789012',
  '1234567890123456',
  'gpt-4o-2024-08-06',
  'claude-sonnet-4-5-20250929',
  '1767323046000',
  '1767323046000000',
  '1767323046000000000',
  '2026-01-02T03:04:05.678Z',
  '2026-01-02 03:04:05 +0100',
  '02.01.2026 03:04',
  '02-01-2026',
  '550e8400-e29b-41d4-a716-446655440000',
  '12345678-e29b-41d4-a716-446655440000',
  'Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36',
  '127.0.0.1',
  'std::vector a::b 12:34:56',
  'aa:bb:cc:dd:ee:ff',
  'icon@2x.png',
  'npm i @scope/name@1.2.3',
  'task-force-of-many-words-and-more',
  'Basic understanding',
  '0.4111111111111111',
  '[4, 15, 2, 8, 4111, 2222]',
  'chatcmpl-9xYzAbCdEf',
  'toolu_01A09q90qw90lq917835lq9',
  'DE00370400440532013000',
  '4111111111111112',
  'tokens: 1000 of 128000',
]

describe.each(Object.entries(FOUND))('%s', (_kind, cases) => {
  test.each(cases)('%s', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })
})

test.each(KEPT)('%s stays', (text) => {
  expect(redact(text)).toBe(text)
})

/** Pieces that texts are made of: canaries, what is next to them, and what breaks them. */
const PIECES = [
  ...Object.values(FOUND).flatMap((cases) => cases.map(([text]) => text)),
  ...KEPT,
  ' ',
  '\\n',
  '"',
  ':',
  ',',
  '@',
  '+',
  '-',
  '.',
  '\\u00e9',
  '%20',
  'é',
  '\u00a0',
  'eyJ',
  'sk-',
]
const texts = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6, unit: 'binary' })), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))

const policy = policiesOf('').policyOf('')

test('A text without a feature of a detector holds nothing of its kind', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(text)
      const features = policy?.scan(bytes, 0, bytes.length) ?? 0
      const decoded = bytes.toString()
      for (const detector of DETECTORS) {
        if ((detector.features & features) !== 0) continue
        expect(
          detector.find(decoded, -1),
          `${detector.name} in ${JSON.stringify(decoded)}`,
        ).toEqual([])
      }
    }),
    { numRuns: 20_000, seed: 7 },
  )
})

test('The features of a string hang on its own bytes alone', () => {
  fc.assert(
    fc.property(texts, fc.string(), fc.string(), (text, before, after) => {
      const [a, b, c] = [before, text, after].map((part) => Buffer.from(part))
      const all = Buffer.concat([a ?? b, b ?? c, c ?? a].map((part) => part ?? Buffer.alloc(0)))
      const start = a?.length ?? 0
      const bytes = Buffer.from(text)
      expect(policy?.scan(all, start, start + bytes.length)).toBe(
        policy?.scan(bytes, 0, bytes.length),
      )
    }),
    { numRuns: 5_000, seed: 8 },
  )
})

test('A canary does not survive, whatever ends before it and begins after it', () => {
  const left = fc.constantFrom(
    ' ',
    '"',
    '\\n',
    '\\u003c',
    '\\u0020',
    '\n',
    ',',
    '(',
    '%20',
    '%3D',
    '=',
    '}',
  )
  const right = fc.constantFrom(' ', '"', '\\n', '\\u003e', '\n', ',', ')', '&', '}', '%20')
  const canaries = fc.constantFrom(
    'zoe@canary.example',
    '5555555555554444',
    'NL91ABNA0417164300',
    '+442079460123',
    '11144477735',
    '198.51.100.9',
  )
  fc.assert(
    fc.property(texts, left, canaries, right, texts, (before, edge, canary, end, after) => {
      expect(redact(`${before}${edge}${canary}${end}${after}`)).not.toContain(canary)
    }),
    { numRuns: 5_000, seed: 9 },
  )
})

describe('No text takes long', () => {
  const SIZE = 300_000
  test.each([
    'eyJ',
    '-eyJ',
    'eyJa.',
    'a@',
    '@',
    'a',
    '1',
    '1 ',
    '+1',
    '4111 ',
    'DE89 ',
    '1.1.',
    ':',
    '1:',
    '::',
    'sk-',
    'sm_a',
    'SG.',
    '://a:',
    '://',
    'Bearer ',
    'Basic A',
    '-----BEGIN PRIVATE KEY',
    '.',
    'a.',
    '@a.',
    'a@a.a',
    "'",
    '%40',
    '\\u0040',
    '0171 ',
    '(415) ',
    'A1',
    'ab12c',
    'é',
    '@é',
  ])('%s again and again', (piece) => {
    const text = piece.repeat(Math.ceil(SIZE / piece.length))
    const start = performance.now()
    redact(text)
    redact(`${text}@example.com`)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
