import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The Python of each family's virtual environment. */
    pythons: Readonly<Record<Family, string>>
  }
}

/** Families of instrumentations: each has a requirements file, as their packages do not go together. */
export type Family = 'opentelemetry' | 'openai-v2' | 'openllmetry' | 'openinference'

/** The oldest Python that the pinned packages run on. */
const OLDEST = [3, 11] as const
const INSTALL_TIMEOUT_MS = 600_000

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** Makes the virtual environments that are missing or out of date; others take no time. */
export async function setup(project: TestProject): Promise<void> {
  const python = process.env['SPANMETER_TEST_PYTHON'] ?? 'python3'
  const version = await findPython(python)
  const [opentelemetry, openaiV2, openllmetry, openinference] = await Promise.all([
    prepare('opentelemetry', python, version),
    prepare('openai-v2', python, version),
    prepare('openllmetry', python, version),
    prepare('openinference', python, version),
  ])
  project.provide('pythons', { opentelemetry, 'openai-v2': openaiV2, openllmetry, openinference })
}

/** The full version of a Python that is new enough and can make virtual environments; throws else. */
async function findPython(python: string): Promise<string> {
  const wanted =
    `npm run test:python needs Python ${OLDEST.join('.')} or newer with venv ` +
    '(Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python). ' +
    'SPANMETER_TEST_PYTHON says which Python to use, if not python3 of the PATH.'
  const version = await ask(python, 'import sys; print(sys.version.split()[0])')
  if (version === undefined) throw new Error(`There is no working ${python}. ${wanted}`)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new Error(`${python} is Python ${version}. ${wanted}`)
  }
  if ((await ask(python, 'import venv, ensurepip')) === undefined) {
    throw new Error(`${python} (${version}) has no venv. ${wanted}`)
  }
  return version
}

async function ask(python: string, code: string): Promise<string | undefined> {
  try {
    return (await run(python, ['-c', code])).stdout.trim()
  } catch {
    return undefined
  }
}

/** One family's environment; a file in it says what it was made of, and is written last. */
async function prepare(family: Family, python: string, version: string): Promise<string> {
  const requirements = join(ROOT, 'examples/python', `requirements-${family}.txt`)
  const wanted = createHash('sha256')
    .update(`${version}\n${await readFile(requirements, 'utf8')}`)
    .digest('hex')
  const folder = join(ROOT, '.spanmeter/python', family)
  const own = join(folder, 'bin/python')
  const mark = join(folder, 'made-of')
  if ((await readFile(mark, 'utf8').catch(() => '')) === wanted) return own
  const tell = (message: string) => process.stderr.write(`python ${family}: ${message}\n`)
  const startMs = Date.now()
  tell(`installing ${requirements.slice(ROOT.length)} into ${folder.slice(ROOT.length)} …`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await run(python, ['-m', 'venv', folder])
  await install(own, requirements)
  await writeFile(mark, wanted)
  tell(`installed in ${Math.round((Date.now() - startMs) / 1_000)} s`)
  return own
}

async function install(python: string, requirements: string): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  try {
    await run(python, [...pip, '--requirement', requirements], { timeout: INSTALL_TIMEOUT_MS })
  } catch (error) {
    throw new Error(`pip could not install ${requirements}; is a package index within reach?`, {
      cause: error,
    })
  }
}
