/** What decides how far records of a partition may be removed. */
export interface PartitionFacts {
  /** The last record that holds something of the person. */
  readonly last: bigint
  /** What each group that reads the topic has committed; undefined where it has read nothing yet. */
  readonly readers: readonly { readonly group: string; readonly committed: bigint | undefined }[]
  /** The first record by which readers still recognise requests that are sent again; undefined: none. */
  readonly remembered: bigint | undefined
}

/** Up to where records may go, and what stands in the way of more. */
export interface Deletable {
  readonly before: bigint
  /** Undefined where nothing of the person remains. */
  readonly why: string | undefined
}

/**
 * Kafka removes records from the start of a partition alone. Those that a group has still to read would be
 * lost, and those by which requests are recognised that are sent again would let them count twice.
 */
export function deletableBefore({ last, readers, remembered }: PartitionFacts): Deletable {
  const wanted = last + 1n
  const behind = readers
    .map(({ group, committed = 0n }) => ({ group, committed }))
    .toSorted((a, b) => (a.committed < b.committed ? -1 : 1))[0]
  if (behind !== undefined && behind.committed < wanted) {
    const before = least(behind.committed, remembered ?? behind.committed)
    return { before, why: `the group ${behind.group} has still to read them` }
  }
  if (remembered !== undefined && remembered < wanted) {
    return { before: remembered, why: 'requests that are sent again are recognised by them' }
  }
  return { before: wanted, why: undefined }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
