import { parse } from 'yaml'
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
