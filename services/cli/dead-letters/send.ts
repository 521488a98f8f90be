import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { Kafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { toNanos } from '#runtime/time.ts'
import { deadLetterSends, topics } from '#schemas/topics.ts'
import { destinationOf, type Resent } from './destination.ts'
import { inReads, type Letter, type LetterHead, readLetters } from './letters.ts'
import { askToSend, deliver, readSent } from './sends.ts'

export interface SendContext {
  readonly clickhouse: ClickHouse
  readonly kafka: Kafka
  readonly logger: Logger
  readonly author: string
  readonly now: () => number
  readonly quietMs: number
}

/** What is asked for. */
export interface SendRequest {
  readonly heads: readonly LetterHead[]
  /** Goes out in place of the bytes of the one letter there is. */
  readonly fixed?: Buffer | undefined
  readonly isDryRun: boolean
}

/** What became of it; a dry run tells what would. */
export interface SendOutcome {
  readonly sent: number
  /** Sent before, by whomever: they count once. */
  readonly before: number
  /** Letters that cannot be sent, and why. */
  readonly problems: readonly string[]
}

/**
 * Sends letters again, each once and for all. Whatever an earlier run was cut off with goes out too.
 */
export async function sendLetters(
  { heads, fixed, isDryRun }: SendRequest,
  context: SendContext,
): Promise<SendOutcome> {
  const { clickhouse, kafka } = context
  const partitions = await requirePartitions(kafka, deadLetterSends.name)
  const partitionsOf = await countPartitions(kafka)
  const sentBefore = await readSent(kafka)
  const fresh = heads.filter(({ id }) => !sentBefore.has(id))
  const problems: string[] = []
  let sent = 0
  const writer = await kafka.openWriter()
  try {
    for (const run of inReads(fresh)) {
      const letters = await readLetters(
        clickhouse,
        run.map(({ id }) => id),
      )
      const sends = letters.flatMap((letter) => {
        const to = destinationOf(letter, fixed)
        if ('problem' in to) problems.push(to.problem)
        else if (partitionsOf(to.topic) === undefined) problems.push(noTopic(letter, to))
        else return [sendOf(letter, to, context)]
        return []
      })
      if (!isDryRun) await askToSend(writer, partitions, sends)
      sent += sends.length
    }
    if (!isDryRun) await deliver({ ...context, writer, partitionsOf })
  } finally {
    await writer.close()
  }
  return { sent, before: heads.length - fresh.length, problems }
}

function sendOf(
  { id }: Letter,
  { topic, headers, payload }: Resent,
  { author, now }: SendContext,
): Parameters<typeof askToSend>[2][number] {
  return { time_unix_nano: toNanos(now()), letter_id: id, author, topic, headers, payload }
}

function noTopic({ id }: Letter, { topic }: Resent): string {
  return `${id} goes to ${topic}, which Kafka does not have`
}

async function countPartitions(kafka: Kafka): Promise<(topic: string) => number | undefined> {
  const counts = new Map<string, number>()
  for (const { name, isCompacted = false } of topics) {
    if (isCompacted) continue
    const count = await kafka.partitions(name)
    if (count > 0) counts.set(name, count)
  }
  return (topic) => counts.get(topic)
}
