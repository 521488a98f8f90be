/**
 * Batches that wait for their run to be committed. Only then are they counted: a run that was written
 * and not committed comes again, here or at another worker.
 */
export class LlmRuns {
  readonly #add: (batch: Buffer) => void
  readonly #written = new Map<number, readonly Buffer[]>()

  constructor(add: (batch: Buffer) => void) {
    this.#add = add
  }

  /** Notes the batches of a run that was just written; what waited in its partition was not committed. */
  written(partition: number, batches: readonly Buffer[]): void {
    this.#written.set(partition, batches)
  }

  /** Counts the run of a partition that was written last. */
  committed(partition: number): void {
    const batches = this.#written.get(partition) ?? []
    this.#written.delete(partition)
    for (const batch of batches) this.#add(batch)
  }

  /** Forgets what waits in partitions that are another worker's now. */
  assigned(partitions: readonly number[]): void {
    for (const partition of this.#written.keys()) {
      if (!partitions.includes(partition)) this.#written.delete(partition)
    }
  }
}
