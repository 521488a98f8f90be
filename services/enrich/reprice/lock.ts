import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { dataDirVariable, type Env, readVariables } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { acquireLock, type Lock, LockHeldError } from '#runtime/process-lock.ts'
import { RepriceError } from './reprice-error.ts'

/** Holds off other runs with this data folder: two at once would both add the same difference. */
export function takeLock(env: Env): Lock {
  const dataDir = resolve(readVariables(dataDirVariable, env).SPANMETER_DATA_DIR)
  try {
    mkdirSync(dataDir, { recursive: true })
    return acquireLock(join(dataDir, 'reprice.lock'))
  } catch (error) {
    if (error instanceof LockHeldError) {
      throw new RepriceError(
        `Prices are being corrected by ${error.holder}. Wait until it is done.`,
      )
    }
    const why = messageOf(error)
    throw new RepriceError(
      `The data folder ${dataDir} cannot be written (${why}). ` +
        'Give this user the right to write there, or set SPANMETER_DATA_DIR to another folder.',
    )
  }
}
