import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type Document, isMap, isSeq, parseDocument } from 'yaml'
import { type ApiKeysFile, parseApiKeysFile } from '#runtime/api-keys-file.ts'
import { ConfigError } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'

/** A key as it is added to a file. */
export interface NewEntry {
  readonly id: string
  readonly hash: string
  readonly tenant: string
  readonly scopes?: readonly string[]
  /** An ISO date or time. */
  readonly expires?: string
}

const PRIVATE_MODE = 0o600
const BEGINNING =
  '# Who may send to ingest. Keys stand here as hashes: nobody can read one out of this file.\n'

/** A file of API keys that does not exist is one without keys. Throws ConfigError where it is not valid. */
export function readKeys(file: string): ApiKeysFile {
  return parseApiKeysFile(textOf(file), file)
}

/** Adds a key; everything else in the file stays as it is, comments too. */
export function addKey(file: string, entry: NewEntry): void {
  change(file, (document) => {
    // An empty list in one line would put everything that is added on that line.
    const keys = document.get('keys')
    if (!isSeq(keys) || keys.items.length === 0) document.set('keys', document.createNode([entry]))
    else keys.add(document.createNode(entry))
  })
}

/** Removes a key. Throws ConfigError where there is none of this id. */
export function removeKey(file: string, id: string): void {
  change(file, (document) => {
    document.deleteIn(['keys', indexOf(document, file, id)])
  })
}

/** Sets from when on a key is refused. Throws ConfigError where there is none of this id. */
export function expireKey(file: string, id: string, expires: string): void {
  change(file, (document) => {
    document.setIn(['keys', indexOf(document, file, id), 'expires'], expires)
  })
}

function indexOf(document: Document, file: string, id: string): number {
  const keys = document.get('keys')
  const index = isSeq(keys)
    ? keys.items.findIndex((item) => isMap(item) && item.get('id') === id)
    : -1
  if (index < 0) throw new ConfigError(`${file} has no key ${id}; "spanmeter keys list" shows all`)
  return index
}

/**
 * Reads, changes and writes the file. Who reads it finds the old text or the new one, and two changes
 * at once cannot lose one of them: the text that is being written is the lock.
 */
function change(given: string, edit: (document: Document) => void): void {
  const file = existsSync(given) ? realpathSync(given) : given
  const next = `${file}.next`
  const handle = openNext(next)
  try {
    const before = textOf(file)
    parseApiKeysFile(before, file)
    // As the file is read everywhere: an id of digits alone is a text, too.
    const document = parseDocument(before === '' ? BEGINNING : before, { schema: 'failsafe' })
    edit(document)
    const text = document.toString({ lineWidth: 0 })
    parseApiKeysFile(text, file)
    writeFileSync(handle, text)
    fsyncSync(handle)
    keepOwner(file, next)
    renameSync(next, file)
  } catch (error) {
    rmSync(next, { force: true })
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${file} cannot be written: ${messageOf(error)}`, { cause: error })
  } finally {
    closeSync(handle)
  }
}

function openNext(next: string): number {
  try {
    return openSync(next, 'wx', PRIVATE_MODE)
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new ConfigError(
      isTaken
        ? `Another change is under way, or was cut off: if none is, remove ${next}`
        : `${next} cannot be written: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

/** Ingest may run as another user than the one who looks after its keys. */
function keepOwner(file: string, next: string): void {
  if (!existsSync(file)) return
  const [before, now] = [statSync(file), statSync(next)]
  if (before.uid !== now.uid || before.gid !== now.gid) chownSync(next, before.uid, before.gid)
}

function textOf(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
