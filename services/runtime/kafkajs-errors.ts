import kafkajs from 'kafkajs'
import { messageOf } from './errors.ts'
import { LostPartitionError, NotAuthorizedError, TransientError } from './records.ts'

const LOST_PARTITION = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

const {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSTimeout,
} = kafkajs

const NOT_AUTHORIZED = /_AUTHORIZATION_FAILED$/
const RIGHTS = 'What each worker must be granted: npm run spanmeter -- access kafka'

/** Sorts kafkajs's errors by class and code into those of records.ts; a bug stays what it is. */
export function classify(error: unknown): unknown {
  const root = rootOf(error)
  if (root instanceof KafkaJSProtocolError && LOST_PARTITION.has(root.type)) {
    return new LostPartitionError(root.message, { cause: error })
  }
  if (root instanceof KafkaJSProtocolError && NOT_AUTHORIZED.test(root.type)) {
    return new NotAuthorizedError(`Kafka: ${root.message}. ${RIGHTS}`, { cause: error })
  }
  return isTransient(error) || isTransient(root)
    ? new TransientError(`Kafka: ${messageOf(root)}`, {
        cause: error,
      })
    : error
}

function isTransient(error: unknown): boolean {
  return (
    error instanceof KafkaJSConnectionError ||
    error instanceof KafkaJSRequestTimeoutError ||
    error instanceof KafkaJSNumberOfRetriesExceeded ||
    error instanceof KafkaJSGroupCoordinatorNotFound ||
    error instanceof KafkaJSTimeout ||
    (error instanceof KafkaJSError &&
      error.retriable &&
      !(error instanceof KafkaJSNonRetriableError))
  )
}

function rootOf(error: unknown): unknown {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  return root
}

/** Whether an error is one of those that `classify` gives, with kafkajs's own as its cause. */
export function isClassified(error: unknown): error is LostPartitionError | TransientError {
  return error instanceof LostPartitionError || error instanceof TransientError
}

/** Calls kafkajs; its errors come out sorted. */
export async function classified<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw classify(error)
  }
}
