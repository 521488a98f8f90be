import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseYaml, requireShape } from '#runtime/yaml.ts'
import { compileWildcard } from './wildcard.ts'

/** Finds the name by which OpenTelemetry's GenAI conventions know a provider. */
export interface ProviderNames {
  /** The canonical name. Unknown names come back as they are, trimmed. */
  canonical(name: string): string
  /** The provider that a model's id begins with, as in openai/gpt-4o; empty where there is none. */
  fromModel(model: string): string
  /** The provider that serves a host, which may have a port or stand in a URL; empty where none is known. */
  fromHost(host: string): string
}

const FILE = 'provider-names.yaml'

const texts = z
  .array(z.string().refine((text) => fold(text) !== '', 'a name has letters'))
  .default([])
const providerFile = z.record(
  z.string().min(1),
  z.strictObject({
    aliases: texts,
    prefixes: texts,
    hosts: z.array(z.string().regex(/[^*.:/\s]/, 'a host has a name')).default([]),
  }),
)
type ProviderFile = z.output<typeof providerFile>

/**
 * Parses names of providers. The file's own comment says how they are written.
 * Throws an Error that names the file and the place, and both providers of a name that stands for two.
 */
export function parseProviderNames(text: string, file: string): ProviderNames {
  const complaint = `${file} does not hold names of providers`
  return createProviderNames(requireShape(providerFile, parseYaml(text, file), complaint), file)
}

/** The names that ship. */
export function loadProviderNames(): ProviderNames {
  return parseProviderNames(readFileSync(new URL(FILE, import.meta.url), 'utf8'), FILE)
}

function createProviderNames(providers: ProviderFile, file: string): ProviderNames {
  const aliases = ownersOf(providers, `${file}: the alias`, (name, provider) =>
    [name, ...provider.aliases].map(fold),
  )
  const prefixes = longestFirst(
    ownersOf(providers, `${file}: the prefix`, (_, provider) => provider.prefixes.map(fold)),
  )
  const hosts = ownersOf(providers, `${file}: the host`, (_, provider) =>
    provider.hosts.map((host) => host.toLowerCase()),
  )
  const hostPatterns = longestFirst(hosts)
    .filter(([host]) => host.includes('*'))
    .map(([host, provider]) => ({ provider, matches: compileWildcard(host) }))

  const find = (name: string): string | undefined =>
    aliases.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1]
  return {
    canonical: (name) => find(fold(name)) ?? name.trim(),
    fromModel(model) {
      const slash = model.indexOf('/')
      return slash < 0 ? '' : (aliases.get(fold(model.slice(0, slash))) ?? '')
    },
    fromHost(host) {
      const { withPort, name } = hostOf(host)
      return (
        hosts.get(withPort) ??
        hosts.get(name) ??
        hostPatterns.find(({ matches }) => matches(name))?.provider ??
        ''
      )
    },
  }
}

/** The provider that each text stands for. Throws an Error that begins with `what` where it is two. */
function ownersOf(
  providers: ProviderFile,
  what: string,
  textsOf: (name: string, provider: ProviderFile[string]) => readonly string[],
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  for (const [name, provider] of Object.entries(providers)) {
    for (const text of textsOf(name, provider)) {
      const other = owners.get(text) ?? name
      if (other !== name) {
        throw new Error(`${what} "${text}" stands for both ${other} and ${name}`)
      }
      owners.set(text, name)
    }
  }
  return owners
}

/** `google.vertex.` is asked before `google.`. */
function longestFirst(owners: ReadonlyMap<string, string>): readonly [string, string][] {
  return [...owners].toSorted(([a], [b]) => b.length - a.length)
}

/** Case, spaces, `_` and `-` do not count: Azure_OpenAI is azure-openai. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '')
}

/** Host and port of what may be a URL, in lower case. */
function hostOf(text: string): { readonly withPort: string; readonly name: string } {
  const [authority = ''] = text
    .trim()
    .toLowerCase()
    .replace(/^[a-z][a-z\d+.-]*:\/\//, '')
    .split(/[/?#]/)
  const withPort = authority.slice(authority.lastIndexOf('@') + 1)
  const name = withPort.replace(/:\d+$/, '').replace(/\.$/, '')
  return { withPort, name }
}
