import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedError } from './embedded-error.ts'

/** A Java that is new enough for Kafka. */
export interface Java {
  readonly command: string
  /** Such as 17.0.15. */
  readonly version: string
}

const OLDEST = 17
const INSTEAD =
  'Or set SPANMETER_KAFKA_BROKERS (and SPANMETER_CLICKHOUSE_URL) to a Kafka and a ClickHouse that run already.'

/** The Java of JAVA_HOME, or else of the PATH. Throws EmbeddedError when it is missing or too old. */
export async function findJava(javaHome: string | undefined): Promise<Java> {
  const command = javaHome ? join(javaHome, 'bin', 'java') : 'java'
  let text: string
  try {
    const { stdout, stderr } = await promisify(execFile)(command, ['-version'])
    text = stdout + stderr
  } catch {
    const where = javaHome
      ? `JAVA_HOME=${javaHome} has no working bin/java`
      : 'there is no java on the PATH'
    throw new EmbeddedError(
      `The embedded Kafka needs Java ${OLDEST} or newer, and ${where}. Install a JDK ` +
        `(Debian, Ubuntu: apt install default-jdk-headless; macOS: brew install openjdk). ${INSTEAD}`,
    )
  }
  const version = javaVersion(text)
  if (version === undefined || majorVersion(version) < OLDEST) {
    throw new EmbeddedError(
      `The embedded Kafka needs Java ${OLDEST} or newer, and ${command} is ${version ?? 'of an unknown version'}. ` +
        `Install a newer JDK and let JAVA_HOME or the PATH point to it. ${INSTEAD}`,
    )
  }
  return { command, version }
}

/** The error of a machine without Maven, which is needed once, to download Kafka. */
export function noMaven(): EmbeddedError {
  return new EmbeddedError(
    'The first start downloads Kafka with Maven, and there is no mvn on the PATH. Install it ' +
      `(Debian, Ubuntu: apt install maven; macOS: brew install maven). ${INSTEAD}`,
  )
}

/** The version in what java -version prints. */
export function javaVersion(text: string): string | undefined {
  return /version "([^"]+)"/.exec(text)?.[1]
}

/** 17 for 17.0.15, 8 for 1.8.0_402. */
export function majorVersion(version: string): number {
  const [first = '', second = ''] = version.split(/[._+-]/)
  return Number(first === '1' ? second : first)
}
