/** Names of providers by price list, see providers.yaml. */
export type ProviderNames = Readonly<Record<string, readonly string[]>>

/** Makes a function that gives a provider the name that the price list has for it. */
export function createProviderOf(names: ProviderNames): (provider: string) => string {
  const exact = new Map<string, string>()
  const prefixes: [string, string][] = []
  for (const [list, aliases] of Object.entries(names)) {
    for (const alias of aliases) {
      if (alias.endsWith('.*')) prefixes.push([alias.slice(0, -1), list])
      else exact.set(alias, list)
    }
  }
  return (provider) => {
    const name = provider.trim().toLowerCase()
    return exact.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1] ?? name
  }
}
