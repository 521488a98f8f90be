import { type Document, isNode, LineCounter, parse, parseDocument } from 'yaml'
import type { z } from 'zod'

/** Parses YAML that people write. Throws an Error that names the file where it is none. */
export function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw new Error(`${file} is not YAML: ${String(cause)}`, { cause })
  }
}

/** What a file holds, if it is of the right shape. Throws an Error that names the file and every place that is wrong. */
export function requireShape<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
  complaint: string,
): z.output<Shape> {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const places = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`${complaint}:\n${places.join('\n')}`)
}

/** YAML that people write, with every scalar as the text that it is: a float would lose digits. */
export interface YamlTexts {
  readonly value: unknown
  /** The line of a place; where it is missing, that of what it is missing from. */
  lineOf(path: readonly PropertyKey[]): number | undefined
  /** The line of a place, and its path. */
  describe(path: readonly PropertyKey[]): string
}

interface YamlOptions {
  /** For files that may hold secrets: an error says the line and what is wrong, and shows no text. */
  readonly hidesText?: boolean
}

/** Reads scalars as texts. Throws an Error that names the file where it is no YAML. */
export function readYamlTexts(
  text: string,
  file: string,
  { hidesText = false }: YamlOptions = {},
): YamlTexts {
  const lines = new LineCounter()
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines })
  const [broken] = document.errors
  if (broken !== undefined) {
    const { line } = lines.linePos(broken.pos[0])
    const hidden = `line ${line}, ${broken.code.toLowerCase().replaceAll('_', ' ')}`
    throw new Error(`${file} is not YAML: ${hidesText ? hidden : broken.message}`)
  }
  const lineOf = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
      const start = isNode(node) ? node.range?.[0] : undefined
      if (start !== undefined) return lines.linePos(start).line
    }
    return undefined
  }
  return {
    value: valueOf(document, file, hidesText),
    lineOf,
    describe(path) {
      const line = lineOf(path)
      const parts = [line === undefined ? '' : `line ${line}`, path.join('.')]
      return parts.filter((part) => part !== '').join(', ')
    },
  }
}

/** What is wrong with a value, by place: a key that is not known is one of its own. */
export function misshapen(
  error: z.ZodError,
): readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not known here' }))
      : [{ path: issue.path, message: issue.message }],
  )
}

/** Throws for a text whose references lead nowhere, or would fill the memory. */
function valueOf(document: Document, file: string, hidesText: boolean): unknown {
  const { value, error } = tryValueOf(document)
  if (error === undefined) return value
  // The error names what is referred to, which may be a secret that begins with an asterisk.
  if (hidesText) throw new Error(`${file} is not YAML: a reference (*) cannot be followed`)
  throw new Error(`${file} is not YAML: ${String(error)}`, { cause: error })
}

function tryValueOf(document: Document): { readonly value?: unknown; readonly error?: Error } {
  try {
    return { value: document.toJS() }
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}
