/** A file of ClickHouse's configuration: lines within its root element. */
export function clickhouseXml(lines: readonly string[]): string {
  return `<clickhouse>\n${lines.map((line) => `  ${line}\n`).join('')}</clickhouse>\n`
}

/** An element that holds a text. */
export function textElement(name: string, value: string | number): string {
  return `<${name}>${escapeXml(String(value))}</${name}>`
}

/**
 * An element that is named after a user, a profile, a database or a table. Nothing can escape such a
 * name, and a dot in it would part it in two. Throws an Error for one that cannot be.
 */
export function namedElement(name: string, content: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) {
    throw new Error(
      `"${name}" cannot stand in ClickHouse's users file: use letters, digits, _ and -`,
    )
  }
  return `<${name}>${content}</${name}>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
