/**
 * Whether texts match a pattern in which each `*` stands for any text, none included. It looks for the
 * texts between the stars one after the other and never goes back, so no pattern makes it slow.
 */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    if (!text.startsWith(first)) return false
    let end = first.length
    for (const part of rest) {
      const start = text.indexOf(part, end)
      if (start < 0) return false
      end = start + part.length
    }
    return end + last.length <= text.length && text.endsWith(last)
  }
}
