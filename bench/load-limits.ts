import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Env } from '#runtime/config.ts'
import { parseYaml, requireShape } from '#runtime/yaml.ts'
import type { WorkerName } from '../services/cli/workers.ts'

/** The sizes of docker-compose.yml: the smallest stack that ships. */
export interface LoadLimits {
  /** Memory of each container, by its service, in bytes. */
  readonly memoryBytes: Readonly<Record<string, number>>
  /** Sizes of the engines, for startStage. */
  readonly engines: Env
  /** What makes a worker as small as its container has it. */
  envOf(worker: WorkerName): Env
}

const file = new URL('../docker-compose.yml', import.meta.url)
/** Sizes among the variables of workers; all others are addresses and files. */
const SIZES = /^(?:NODE_OPTIONS|SPANMETER_(?:OTLP|SINK)_M\w+)$/

const shape = z.object({
  services: z.record(
    z.string(),
    z.object({
      mem_limit: z.string().optional(),
      environment: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
})

/** Reads the file that ships. */
export function readLimits(): LoadLimits {
  return parseLimits(readFileSync(file, 'utf8'))
}

/** Reads the sizes from the text of a compose file, where no variable is set. */
export function parseLimits(text: string): LoadLimits {
  const complaint = 'docker-compose.yml has another shape'
  const { services } = requireShape(shape, parseYaml(text, 'docker-compose.yml'), complaint)
  const memoryBytes = Object.fromEntries(
    Object.entries(services).flatMap(([name, { mem_limit: size }]) =>
      size === undefined ? [] : [[name, parseSize(withDefault(size))]],
    ),
  )
  const heap = withDefault(String(services['kafka']?.environment?.['KAFKA_HEAP_OPTS'])).slice(4)
  return {
    memoryBytes,
    engines: {
      SPANMETER_KAFKA_HEAP: heap,
      // As services/compose/clickhouse.xml has it: 3/4 of the container's.
      SPANMETER_CLICKHOUSE_MEMORY: `${Math.floor(((memoryBytes['clickhouse'] ?? 0) * 3) / 4 / 2 ** 20)}m`,
    },
    envOf: (worker) =>
      Object.fromEntries(
        Object.entries(services[worker]?.environment ?? {})
          .filter(([name]) => SIZES.test(name))
          .map(([name, value]) => [name, withDefault(String(value))]),
      ),
  }
}

/** What `${VARIABLE:-value}` stands for where the variable is not set. */
function withDefault(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
}

function parseSize(text: string): number {
  const [, number, unit] = /^(\d+)([mg])$/.exec(text) ?? []
  if (number === undefined) throw new RangeError(`"${text}" is no size`)
  return Number(number) * 2 ** (unit === 'g' ? 30 : 20)
}
