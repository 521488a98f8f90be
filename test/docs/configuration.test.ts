import { expect, test } from 'vitest'
import type { z } from 'zod'
import { accessVariables } from '../../services/cli/access/access-config.ts'
import { alertVariables } from '../../services/alert/config.ts'
import { replayVariables } from '../../services/cli/replay/http-sender.ts'
import { embeddedVariables } from '../../services/embedded/config.ts'
import { enrichVariables } from '../../services/enrich/config.ts'
import { ingestVariables } from '../../services/ingest/config.ts'
import { clusterVariables } from '../../services/runtime/cluster.ts'
import { commonVariables } from '../../services/runtime/config.ts'
import { retentionVariables } from '../../services/runtime/retention.ts'
import { topicVariables } from '../../services/runtime/topics.ts'
import { sinkVariables } from '../../services/sink/config.ts'

/** docs/configuration.md is written by this test: after a change, run `npm run docs`. */

const GROUPS = {
  'Every process': commonVariables,
  'Engines that `npm start` runs': embeddedVariables,
  'Users of ClickHouse': accessVariables,
  'Topics and tables': { ...topicVariables, ...retentionVariables, ...clusterVariables },
  Ingest: ingestVariables,
  Enrich: enrichVariables,
  Sink: sinkVariables,
  Alert: alertVariables,
  Replay: replayVariables,
}

function rows(
  variables: Readonly<Record<string, z.ZodType>>,
  seen: Set<string>,
): readonly string[] {
  return Object.entries(variables).flatMap(([name, type]) => {
    if (seen.has(name)) return []
    seen.add(name)
    return [`| \`${name}\` | ${defaultOf(type)} | ${type.description ?? ''} |`]
  })
}

function defaultOf(type: z.ZodType): string {
  const { data } = type.safeParse(undefined)
  return data === undefined || data === '' ? '' : `\`${JSON.stringify(data).replaceAll('"', '')}\``
}

test('docs/configuration.md lists every variable with its default', async () => {
  const seen = new Set<string>()
  const groups = Object.entries(GROUPS).map(([title, variables]) =>
    [
      `## ${title}`,
      '',
      '| variable | default | what it is |',
      '| --- | --- | --- |',
      ...rows(variables, seen),
    ].join('\n'),
  )
  const page = [
    '# Configuration',
    '',
    'Everything is set by environment variables; an empty one counts as not set.',
    '',
    groups.join('\n\n'),
    '',
  ]
  expect([...seen].filter((name) => !name.startsWith('SPANMETER_'))).toEqual([])
  await expect(page.join('\n')).toMatchFileSnapshot('../../docs/configuration.md')
})
