import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'

/** docker-compose.yml as Compose reads it, as far as tests ask for it. */

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const texts = z.array(z.string())
const health = z.object({ test: texts.optional(), disable: z.boolean().optional() })
const longVolume = z.object({
  type: z.enum(['bind', 'volume']),
  source: z.string(),
  target: z.string(),
  read_only: z.boolean().optional(),
})

const service = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  entrypoint: texts.optional(),
  command: texts.optional(),
  user: z.string().optional(),
  profiles: texts.default([]),
  restart: z.string(),
  read_only: z.boolean().optional(),
  privileged: z.boolean().optional(),
  cap_drop: texts.default([]),
  cap_add: texts.default([]),
  security_opt: texts.default([]),
  network_mode: z.string().optional(),
  container_name: z.string().optional(),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }),
  environment: z.record(z.string(), z.string()).default({}),
  env_file: z.array(z.object({ path: z.string(), required: z.boolean() })).default([]),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
  volumes: z.array(z.union([z.string(), longVolume])).default([]),
  tmpfs: texts.default([]),
  ports: texts.default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: health.optional(),
  mem_limit: z.string(),
  stop_grace_period: z.string().optional(),
})

const file = z.object({
  services: z.record(z.string(), service),
  configs: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
})

export type ComposeService = z.output<typeof service>
export type ComposeFile = z.output<typeof file>

/** The file as it stands. */
export const composeText = readFileSync(`${ROOT}docker-compose.yml`, 'utf8')

/** What Compose makes of the file with these variables; `required` stands for those without a default. */
export function readCompose(
  env: Readonly<Record<string, string>>,
  required = 'a-long-password',
): ComposeFile {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value, env, required)
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]))
  }
  return file.parse(fill(parse(composeText, { merge: true })))
}

/** A use of a variable: `${NAME}`, `${NAME:-default}` or `${NAME:?message}`. */
export interface Use {
  readonly name: string
  readonly operator: '' | ':-' | ':?'
  readonly operand: string
}

/** Every use of a variable in the file, those within defaults too, but not those in comments. */
export function usesOf(text: string): readonly Use[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'))
  return usesIn(lines.join('\n'))
}

function usesIn(text: string): readonly Use[] {
  return splitUses(text).flatMap((part) =>
    typeof part === 'string' ? [] : [part, ...usesIn(part.operator === ':-' ? part.operand : '')],
  )
}

function interpolate(
  text: string,
  env: Readonly<Record<string, string>>,
  required: string,
): string {
  return splitUses(text)
    .map((part) => {
      if (typeof part === 'string') return part.replaceAll('$$', '$')
      const given = env[part.name] ?? ''
      if (given !== '') return given
      return part.operator === ':?' ? required : interpolate(part.operand, env, required)
    })
    .join('')
}

const NAME = /^[A-Z][A-Z0-9_]*/

/** Text and uses of variables, in turn; braces within a default are of uses. */
function splitUses(text: string): readonly (string | Use)[] {
  const start = /(?<!\$)(?:\$\$)*\$\{/.exec(text)
  if (start === null) return [text]
  const open = start.index + start[0].length
  let depth = 1
  let end = open
  while (depth > 0) {
    const character = text[end]
    if (character === undefined) throw new Error(`a brace is open in: ${text}`)
    if (character === '{') depth += 1
    if (character === '}') depth -= 1
    end += 1
  }
  const inside = text.slice(open, end - 1)
  const name = NAME.exec(inside)?.[0] ?? ''
  const rest = inside.slice(name.length)
  const operator = rest.startsWith(':-') ? ':-' : rest.startsWith(':?') ? ':?' : ''
  if (name === '' || (operator === '' && rest !== '')) throw new Error(`not a variable: ${inside}`)
  const use: Use = { name, operator, operand: rest.slice(2) }
  return [text.slice(0, open - 2), use, ...splitUses(text.slice(end))]
}

/** Bytes of an amount such as 448m or 1g. */
export function bytesOf(amount: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([kmg])$/.exec(amount) ?? []
  const power = { k: 10, m: 20, g: 30 }[unit]
  if (power === undefined) throw new Error(`not an amount of memory: ${amount}`)
  return Number(digits) * 2 ** power
}
