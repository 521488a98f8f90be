import { expect, test } from 'vitest'
import { summarise } from '../../bench/cpu-profile.ts'

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url },
})
const profile = {
  nodes: [
    node(1, '(idle)', ''),
    node(2, 'decode', 'file:///any/services/ingest/transcode.ts'),
    node(3, 'decode', 'file:///any/services/ingest/transcode.ts'),
    node(4, '', 'file:///any/node_modules/kafkajs/src/a.js'),
    node(5, '(garbage collector)', ''),
  ],
  samples: [1, 2, 3, 4, 5, 2],
  timeDeltas: [9_000, 1_000, 2_000, 500, 1_500, -20],
}

test('takes together what one function spent in several places, and leaves idle time out', () => {
  expect(summarise(profile, 2)).toEqual({
    worker: 'ingest',
    busyMs: 5,
    top: [
      { name: 'decode', file: 'services/ingest/transcode.ts', selfMs: 3, share: 0.6 },
      { name: '(garbage collector)', file: '', selfMs: 1.5, share: 0.3 },
    ],
  })
})

test('names a package, not where it lies', () => {
  expect(summarise(profile, 3).top[2]).toMatchObject({
    name: '(anonymous)',
    file: 'kafkajs/src/a.js',
  })
})

test('a process that is no worker has no name', () => {
  expect(summarise({ nodes: [], samples: [], timeDeltas: [] }, 5)).toEqual({
    worker: '',
    busyMs: 0,
    top: [],
  })
})
