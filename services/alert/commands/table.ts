/** Rows of text in columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '),
  )
}

/** A group as people read it. */
export function groupText(group: Readonly<Record<string, string>>): string {
  const parts = Object.entries(group).map(([name, value]) => `${name}=${value || '(none)'}`)
  return parts.length === 0 ? '-' : parts.join(' ')
}
