import { parse } from 'yaml'

/** Parses YAML that people write. Throws an Error that names the file where it is none. */
export function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw new Error(`${file} is not YAML: ${String(cause)}`, { cause })
  }
}
