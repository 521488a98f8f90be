import { Assignment } from '../../../services/runtime/assignment.ts'
import { SOURCE_HEADER } from '../../../services/runtime/checkpoint.ts'
import type { ChunkControl, Stage } from '../../../services/runtime/record-loop.ts'
import type { BatchControl, RecordWriter } from '../../../services/runtime/records.ts'
import type { InsertAvro } from '../../../services/sink/sink-stage.ts'
import type { BrokerRules } from './broker.ts'
import type { Plan } from './pipeline.ts'

/** One thing left out of the protocol. */
export interface Mutation extends BrokerRules {
  /** The trouble in which it is missed most. */
  readonly trouble: Partial<Plan>
  readonly dropsRepeats: boolean
  readonly assignment: () => Assignment
  stage(stage: Stage): Stage
  writer(writer: RecordWriter): RecordWriter
  insert(insert: InsertAvro): InsertAvro
}

/** Nothing left out. */
export const RIGHT: Mutation = {
  trouble: {},
  fencesZombies: true,
  keepsMetadata: true,
  keepsCommits: true,
  dropsRepeats: true,
  assignment: () => new Assignment(),
  stage: (stage) => stage,
  writer: (writer) => writer,
  insert: (insert) => insert,
}

const withControl =
  (change: (control: ChunkControl) => ChunkControl) =>
  (stage: Stage): Stage => ({
    maxChunkBytes: stage.maxChunkBytes,
    handle: (chunk, control) => stage.handle(chunk, change(control)),
  })

class LooseAssignment extends Assignment {
  override bind(_partition: number, control: BatchControl): BatchControl {
    return control
  }
}

/** Each must be found out by the model, or the model would find nothing. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'pending ranges': {
    ...RIGHT,
    stage: withControl((control) => ({ ...control, markPending: () => Promise.resolve() })),
  },
  'source numbers': {
    ...RIGHT,
    writer: (writer) => ({
      write: (topic, records) =>
        writer.write(
          topic,
          records.map((record) => {
            const { [SOURCE_HEADER]: _source, ...headers } = record.headers
            return { ...record, headers }
          }),
        ),
    }),
  },
  'deduplication by token': { ...RIGHT, dropsRepeats: false },
  'the metadata of commits': { ...RIGHT, keepsMetadata: false },
  'the tie of a batch to its assignment': {
    ...RIGHT,
    trouble: { leaders: 40, crashes: 0, moves: 0 },
    assignment: () => new LooseAssignment(),
  },
  'commits that outlive what is deleted': {
    ...RIGHT,
    trouble: { deletions: 40, faults: 20 },
    keepsCommits: false,
  },
  'the fencing of zombies': {
    ...RIGHT,
    trouble: { moves: 10, crashes: 0, leaders: 0 },
    fencesZombies: false,
  },
  'waiting for what is written': {
    ...RIGHT,
    stage: (stage) => ({
      maxChunkBytes: stage.maxChunkBytes,
      async handle(chunk, control) {
        stage.handle(chunk, control).catch(() => undefined)
      },
    }),
  },
}
