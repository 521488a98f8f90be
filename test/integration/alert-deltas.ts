import { encodeDeltas } from '../../services/alert/delta-batch.ts'
import { keyOf, partitionOfKey } from '../../services/alert/delta-partition.ts'
import type { Input } from '../../services/alert/evaluator.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import { type Delta, joinGroup, type SeriesSpec } from '../../services/alert/series.ts'
import { between, createRandom, hashText } from '../../services/cli/replay/random.ts'

/** Records of span.aggregates, made straight from what rules count: years of spans in a moment. */

export interface DeltaOptions {
  readonly rules: RuleSet
  readonly tenants: readonly string[]
  readonly seed: number
  /** Only groups of one partition, of so many. */
  readonly partition?: number
  readonly partitions?: number
}

const PARTS = ['alpha', 'beta']

/** A record of all that came in fromMs..toMs, for series whose buckets are so long. */
export function recordOf(
  options: DeltaOptions,
  { fromMs, toMs, bucketMs }: { fromMs: number; toMs: number; bucketMs?: number },
): Input {
  const { rules, partition = 0, partitions = 1 } = options
  const deltas: Delta[] = []
  for (const spec of rules.series) {
    if (bucketMs !== undefined && spec.bucketMs !== bucketMs) continue
    for (const group of groupsOf(spec, options)) {
      if (partitionOfKey(keyOf(spec, group), partitions) !== partition) continue
      const first = Math.ceil(fromMs / spec.bucketMs)
      for (let bucket = first; bucket * spec.bucketMs < toMs; bucket++) {
        deltas.push(deltaOf(options, spec, group, bucket))
      }
    }
  }
  const eventMs = toMs + rules.allowedLatenessMs
  const progress = {
    source: 'spans',
    partition: 0,
    partitions: 1,
    eventMs,
    quietMs: undefined,
  } as const
  return { value: encodeDeltas(deltas), progress, silence: undefined }
}

/** A tenant is a group, or several with the parts that contribute to it. */
function groupsOf({ by }: SeriesSpec, { tenants }: DeltaOptions): readonly string[] {
  if (by.length === 1) return [...tenants]
  return tenants.flatMap((tenant) => PARTS.map((part) => joinGroup([tenant, part])))
}

function deltaOf({ seed }: DeltaOptions, spec: SeriesSpec, group: string, bucket: number): Delta {
  const random = createRandom([seed, hashText(`${spec.id} ${group}`), bucket])
  const count = between(random, 5, 20)
  // Now and then everything is ten times as dear, and fails.
  const isBad = random.next() < 0.05
  return {
    series: spec.id,
    group,
    bucket,
    count,
    bad: spec.bad === undefined ? 0 : between(random, 0, isBad ? count : 1),
    high: spec.value === undefined ? 0 : between(random, 100, 200) * (isBad ? 10 : 1),
    low: between(random, 0, 999_999_999),
    bins: spec.hasBins ? [between(random, 1_000, 1_100), count] : [],
    traceId: random.uint32().toString(16).padStart(32, '0'),
    traceValue: random.next(),
  }
}
