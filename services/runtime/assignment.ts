import { type BatchControl, LostPartitionError } from './records.ts'

/**
 * The partitions that a consumer has been given, and what its batches may do meanwhile. A client that
 * reads from several brokers may join its group again while batches wait or are handled: what they
 * commit then would be taken in the name of the new generation, though their partitions may be
 * another's by now.
 */
export class Assignment {
  #partitions: readonly number[] = []

  renew(partitions: readonly number[]): void {
    // A list of its own is what tells one assignment from the next.
    this.#partitions = [...partitions]
  }

  /**
   * The control of a batch for as long as this assignment lasts; undefined if the partition is not of
   * it. `lost` makes the client's own error, which the client understands when it comes back.
   */
  bind(partition: number, control: BatchControl, lost: () => Error): BatchControl | undefined {
    const fetched = this.#partitions
    if (!fetched.includes(partition)) return undefined
    const whileOwned = async <T>(call: () => Promise<T>): Promise<T> => {
      if (fetched === this.#partitions) return call()
      throw new LostPartitionError('the group was shared out anew', { cause: lost() })
    }
    return {
      ...control,
      heartbeat: () => whileOwned(() => control.heartbeat()),
      commit: (committed) => whileOwned(() => control.commit(committed)),
    }
  }
}
