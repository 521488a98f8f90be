import kafkajs from 'kafkajs'
import cluster from 'kafkajs/src/cluster/index.js'
import { beforeAll, expect, test } from 'vitest'
import { mendKafkaJs } from '../../services/runtime/kafkajs-mends.ts'

beforeAll(() => mendKafkaJs())

/** A cluster none of whose brokers answers: kafkajs tries each and gives nothing. */
const unreachable: typeof cluster.prototype = Object.assign(Object.create(cluster.prototype), {
  brokerPool: { withBroker: () => Promise.resolve(undefined) },
})

test('a group whose coordinator cannot be found is looked for again, for a broker may just be starting', async () => {
  const found = unreachable.findGroupCoordinatorMetadata({ groupId: 'sink' })
  const error = await found.catch((thrown: unknown) => thrown)
  if (!(error instanceof kafkajs.KafkaJSError)) throw new Error('kafkajs must throw its own error')
  expect(error.message).toBe('Failed to find group coordinator')
  expect(error.retriable).toBe(true)
})
