import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** The law of the house: who may import what, how long things may be, and what is not written here. */

/** Rooms, and the other rooms that each may import from. A room that is not listed may not exist. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  'services/runtime': ['schemas'],
  'services/ingest': ['services/runtime', 'schemas'],
  'services/enrich': ['services/runtime', 'schemas'],
  'services/sink': ['services/runtime', 'schemas'],
  'services/alert': ['services/runtime', 'schemas'],
  'services/eval': ['services/runtime', 'schemas'],
  'services/embedded': ['services/runtime', 'schemas'],
  'services/cli': ['services/runtime', 'schemas', 'services/embedded'],
  grafana: [],
}

/** Packages that one file alone may import, types included. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  kafkajs: [
    'services/runtime/kafka.ts',
    'services/runtime/kafkajs-admin.ts',
    'services/runtime/kafkajs-errors.ts',
    'services/runtime/kafkajs-mends.ts',
    'services/runtime/kafkajs-reader.ts',
    'services/runtime/kafkajs-record.ts',
  ],
  '@clickhouse/client': ['services/runtime/clickhouse.ts'],
  avsc: ['schemas/codec.ts'],
}

const MAX_FILE_LINES = 300
const MAX_FUNCTION_LINES = 70
/** Files that may be longer than MAX_FILE_LINES, up to a length of their own, and why. */
const LONGER_FILES: Readonly<Record<string, number>> = {}

/** Words that no file or folder is named after: they say nothing about what is inside. */
const BANNED_NAMES = /(?:^|[/.-])(?:utils?|helpers?|common|managers?|impl)(?:[/.-]|$)/i

/** What is not written in services/, schemas/ and grafana/, but in comments, strings and declarations of others' modules. */
const BANNED_CODE: Readonly<Record<string, RegExp>> = {
  'an enum': /\benum\s+\w+\s*\{/,
  'the type any': /(?<![.\w])any\b/,
  'a default export': /\bexport\s+default\b/,
  'a namespace': /\b(?:namespace|module)\s+\w+\s*\{/,
}

/** What stands in no file at all: paths and registries of one machine. */
const BANNED_TEXT: Readonly<Record<string, RegExp>> = {
  'a path of one machine': /(?<![\w.])\/(?:work|home\/\w+\/\w+|Users\/\w+)\//,
  'the host of a registry': /\b(?:registry\.npmjs\.org|registry\.yarnpkg\.com|repo1\.maven\.org)\b/,
}

const SQL = /\b(?:SELECT|INSERT INTO|CREATE TABLE|ALTER TABLE)\b/
/** SQL that may stand in TypeScript: a few words that no file of its own would make clearer. */
const TINY_SQL: Readonly<Record<string, string>> = {
  // The table and the format are all there is to it.
  'services/runtime/clickhouse.ts': 'INSERT INTO ${insert.table} FORMAT Avro',
  // Asks whether the server answers.
  'services/embedded/clickhouse.ts': '?query=SELECT%201',
  // Keeps the embedded engine running until its input ends.
  'services/embedded/clickhouse-process.ts':
    "SELECT * FROM file('-', 'LineAsString', 'line String')",
  // An example for the person who has just started it.
  'services/cli/start-command.ts': 'SELECT name, request_model, cost_usd FROM spans',
}

/** Folders that tools make, and nobody reads. */
const NOT_OURS = new Set(['node_modules', '.git', '.spanmeter', '__pycache__'])

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const files = walk('').sort()
const sources = files.filter((file) => /^(?:services|schemas|grafana)\/.*\.ts$/.test(file))
const scripts = files.filter((file) => file.endsWith('.ts'))

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? walk(path) : [path]
  })
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const linesOf = (text: string): readonly string[] => text.trimEnd().split('\n')

/** Comments and what stands in quotes; a quote in a regular expression may mislead it. */
const QUIET =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
const codeOf = (text: string): string =>
  text.replace(QUIET, (quiet) => quiet.replace(/[^\n]/g, ' '))
const stringsOf = (text: string): readonly string[] =>
  [...text.matchAll(QUIET)].map(([quiet]) => quiet).filter((quiet) => !quiet.startsWith('/'))
const withoutComments = (text: string): string =>
  text.replace(QUIET, (quiet) => (quiet.startsWith('/') ? quiet.replace(/[^\n]/g, ' ') : quiet))

const IMPORTS = [
  /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/g,
  /\bimport\s*['"]([^'"]+)['"]/g,
  /\b(?:import|require|resolve)\(\s*['"]([^'"]+)['"]/g,
]

/** What a file imports, types included: paths within the project, or names of packages. */
function importsOf(file: string): readonly string[] {
  const text = withoutComments(read(file))
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name)).map(
    (name) => {
      if (name.startsWith('#runtime/')) return name.replace('#', 'services/')
      if (name.startsWith('#schemas/')) return name.replace('#', '')
      return name.startsWith('.') ? normalize(join(dirname(file), name)) : name
    },
  )
}

const isInside = (path: string, folder: string): boolean => path.startsWith(`${folder}/`)
const isOf = (name: string, pack: string): boolean => name === pack || isInside(name, pack)
const roomOf = (path: string): string =>
  path.startsWith('services/') ? path.split('/').slice(0, 2).join('/') : (path.split('/')[0] ?? '')
const isOurs = (path: string): boolean =>
  /^(?:services|schemas|grafana|test|bench|clickhouse)\//.test(path)

/** Each import of services/, schemas/ and grafana/, as a pair. */
const imports = sources.flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
const arrow = ({ file, imported }: { file: string; imported: string }) => `${file} → ${imported}`

test('Every file of the project was seen', () => {
  expect(existsSync(join(ROOT, '.git')), 'this test asks git which files there are').toBe(true)
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const known = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0')
  const there = known.filter((file) => file !== '' && existsSync(join(ROOT, file)))
  const seen = new Set(files)
  expect(there.filter((file) => !seen.has(file))).toEqual([])
  expect(there.length).toBeGreaterThan(100)
})

describe('Imports', () => {
  test('are found, of types too', () => {
    expect(imports.map(arrow)).toEqual(
      expect.arrayContaining([
        'services/enrich/enrich.ts → services/runtime/transform-stage.ts',
        'services/enrich/enrich.ts → services/enrich/price-book.ts',
        'services/sink/sink-stage.ts → schemas/topics.ts',
        'schemas/codec.ts → avsc',
      ]),
    )
    expect(imports.length).toBeGreaterThan(sources.length)
  })

  test('every source stands in a room', () => {
    expect(sources.filter((file) => !(roomOf(file) in ROOMS))).toEqual([])
  })

  test('lead only to rooms that the room may use', () => {
    const wrong = imports.filter(({ file, imported }) => {
      const [from, to] = [roomOf(file), roomOf(imported)]
      return isOurs(imported) && from !== to && !(ROOMS[from] ?? []).includes(to)
    })
    expect(wrong.map(arrow)).toEqual([])
  })

  test('lead to files that are there', () => {
    const wrong = imports.filter(({ imported }) => isOurs(imported) && !files.includes(imported))
    expect(wrong.map(arrow)).toEqual([])
  })

  test.each(Object.entries(OWNERS))('of %s stand in %s alone', (pack, owners) => {
    const importers = imports.filter(({ imported }) => isOf(imported, pack)).map(({ file }) => file)
    expect([...new Set(importers)].toSorted()).toEqual(owners)
  })

  test('of schemas are of nothing but avsc and Node', () => {
    const wrong = imports.filter(
      ({ file, imported }) =>
        isInside(file, 'schemas') &&
        !isInside(imported, 'schemas') &&
        imported !== 'avsc' &&
        !imported.startsWith('node:'),
    )
    expect(wrong.map(arrow)).toEqual([])
  })

  test('are never of a main.ts', () => {
    const wrong = scripts
      .flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
      .filter(({ imported }) => isOurs(imported) && basename(imported) === 'main.ts')
    expect(wrong.map(arrow)).toEqual([])
  })
})

describe('Sizes', () => {
  test(`no file has more than ${MAX_FILE_LINES} lines`, () => {
    const long = sources
      .map((file) => ({ file, count: linesOf(read(file)).length }))
      .filter(({ file, count }) => count > (LONGER_FILES[file] ?? MAX_FILE_LINES))
    expect(long).toEqual([])
  })

  test('no file may be longer that needs it no more', () => {
    const short = Object.keys(LONGER_FILES).filter(
      (file) => !files.includes(file) || linesOf(read(file)).length <= MAX_FILE_LINES,
    )
    expect(short).toEqual([])
  })

  test(`no function has more than ${MAX_FUNCTION_LINES} lines`, () => {
    const long = sources.flatMap((file) =>
      functionsOf(linesOf(codeOf(read(file))))
        .filter(({ count }) => count > MAX_FUNCTION_LINES)
        .map(({ line, count }) => `${file}:${line} (${count} lines)`),
    )
    expect(long).toEqual([])
  })

  test('functions are found, with their lines', () => {
    const code = ['export function a(', '  b: B,', '): void {', '  if (b) {', '    c()', '  }', '}']
    const arrows = [
      'const d = {',
      '  async e() {',
      '    f((g) => {',
      '      h()',
      '    })',
      '  },',
      '}',
    ]
    expect(functionsOf(code)).toEqual([{ line: 3, count: 5 }])
    expect(functionsOf(arrows)).toEqual([
      { line: 2, count: 5 },
      { line: 3, count: 3 },
    ])
  })
})

const OPENS_FUNCTION = /(?:\)|\)\s*:.*|=>)\s*\{\s*$/
const OPENS_BLOCK = /^\s*(?:\}\s*)?(?:if|else|for|while|switch|catch|do|try)\b/

/** Functions by their first lines: each ends at the next brace that stands as far to the right. */
function functionsOf(lines: readonly string[]): readonly { line: number; count: number }[] {
  return lines.flatMap((text, index) => {
    if (!OPENS_FUNCTION.test(text) || OPENS_BLOCK.test(text)) return []
    const indent = /^\s*/.exec(text)?.[0] ?? ''
    const end = lines.findIndex((other, at) => at > index && other.startsWith(`${indent}}`))
    return end < 0 ? [] : [{ line: index + 1, count: end - index + 1 }]
  })
}

describe('Words', () => {
  test('no file or folder has a name that says nothing', () => {
    expect(files.filter((file) => BANNED_NAMES.test(file))).toEqual([])
    expect(
      ['services/runtime/string-utils.ts', 'test/helpers/a.ts'].every((file) =>
        BANNED_NAMES.test(file),
      ),
    ).toBe(true)
  })

  test('files are named in kebab-case', () => {
    const odd = sources.filter((file) => !/^[a-z0-9-]+(?:\.d|\.config)?\.ts$/.test(basename(file)))
    expect(odd).toEqual([])
  })

  test.each(Object.entries(BANNED_CODE))('no source has %s', (_, pattern) => {
    const own = sources.filter((file) => !file.endsWith('.d.ts'))
    const found = own.filter((file) => pattern.test(codeOf(read(file))))
    expect(found).toEqual([])
  })

  test.each(Object.entries(BANNED_TEXT))('no file has %s', (_, pattern) => {
    const found = files.filter((file) => pattern.test(read(file)))
    expect(found).toEqual([])
  })

  test('SQL stands in .sql files', () => {
    const found = sources.flatMap((file) =>
      stringsOf(read(file))
        .filter((text) => SQL.test(text) && !text.includes(TINY_SQL[file] ?? '\0'))
        .map((text) => `${file}: ${text}`),
    )
    expect(found).toEqual([])
  })

  test('no SQL is excused that is no more', () => {
    const gone = Object.entries(TINY_SQL).filter(
      ([file, sql]) => !files.includes(file) || !read(file).includes(sql),
    )
    expect(gone).toEqual([])
  })
})

describe('Files that go together', () => {
  test('every test stands beside what it tests', () => {
    const orphans = files
      .filter((file) => /^test\/.*\.test\.ts$/.test(file))
      .filter((file) => file !== 'test/tidy.test.ts' && !isInside(file, 'test/integration'))
      .filter((file) => !/^test\/(?:python|fuzz|chaos)\//.test(file))
      // Alerts as a whole, against other engines, by the rules that ship, through disorder and crashes.
      .filter(
        (file) =>
          !/^test\/alert\/(?:oracle\/|shipped\/|(?:crashes|many-users|shuffle)\.)/.test(file),
      )
      .filter((file) => {
        const subject = file.slice('test/'.length).replace('.test.ts', '')
        const places = [
          `services/${subject}.ts`,
          `${subject}.ts`,
          `${subject}.md`,
          `${subject}.yml`,
        ]
        return !places.some((place) => files.includes(place))
      })
    expect(orphans).toEqual([])
  })

  test('every link from a page to a file of ours leads somewhere', () => {
    const pages = files.filter((file) => file.endsWith('.md'))
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => ({
        page,
        link,
      })),
    )
    const dead = links
      .filter(({ link }) => !/^[a-z]+:/.test(link))
      .filter(({ page, link }) => !existsSync(join(ROOT, dirname(page), decodeURI(link))))
    expect(pages.length).toBeGreaterThan(0)
    expect(dead).toEqual([])
  })

  test('package-lock.json names no place that a package was fetched from', () => {
    expect(statSync(join(ROOT, 'package-lock.json')).size).toBeGreaterThan(1_000)
    expect(read('package-lock.json')).not.toContain('"resolved"')
  })
})
