import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { parseEmbeddedConfig } from '../../services/embedded/config.ts'
import { type Engine, startEngine } from '../../services/embedded/engine.ts'
import { findJava } from '../../services/embedded/java.ts'
import { ensureKafkaJars } from '../../services/embedded/kafka-jars.ts'
import { answersMetadata } from '../../services/embedded/kafka-probe.ts'
import { brokerProperties } from '../../services/embedded/kafka-properties.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
import type { Authority, Certificate } from './certificates.ts'

/** A real broker that lets in only who logs in over TLS, and lets do only what is granted. */
export interface SecureKafka {
  /** Port for users with a password, over TLS. */
  readonly port: number
  /** Port for clients that show a certificate of the authority. */
  readonly certificatePort: number
  /** Port of the listener on which whoever comes may do all: for making rights, and for looking. */
  readonly openPort: number
  readonly engine: Engine
}

export interface SecureKafkaOptions {
  readonly folder: string
  readonly authority: Authority
  readonly certificate: Certificate
  /** Passwords of users, by name; each can log in with PLAIN and with SCRAM-SHA-256 and -512. */
  readonly users: Readonly<Record<string, string>>
}

const LOG_SETTINGS = fileURLToPath(
  new URL('../../services/embedded/kafka-log4j2.xml', import.meta.url),
)
const CLUSTER_ID = 'c3Bhbm1ldGVyLXRlc3QtMQ'
const START_DEADLINE_MS = 90_000

/** Starts the broker in a new folder. */
export async function startSecureKafka(options: SecureKafkaOptions): Promise<SecureKafka> {
  const { folder, users } = options
  const config = parseEmbeddedConfig({ ...process.env, SPANMETER_DATA_DIR: folder })
  const java = (await findJava(process.env['JAVA_HOME'])).command
  const jars = await ensureKafkaJars(config.cacheDir, () => undefined)
  const [port = 0, certificatePort = 0, openPort = 0, controllerPort = 0] = await findFreePorts(4)
  const ports = { port, certificatePort, openPort, controllerPort }
  mkdirSync(folder, { recursive: true })
  const properties = join(folder, 'server.properties')
  const logFile = join(folder, 'kafka.log')
  writeFileSync(
    properties,
    brokerProperties({ port: openPort, controllerPort, dataFolder: join(folder, 'data') }) +
      securityProperties(options, ports),
  )
  const flags = [
    '-XX:+UseSerialGC',
    '-Xmx512m',
    `-Dlog4j2.configurationFile=${pathToFileURL(LOG_SETTINGS).href}`,
    `-Dspanmeter.kafka.log=${logFile}`,
    '-cp',
    join(jars, '*'),
  ]
  const logins = Object.entries(users).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  )
  const format = ['format', '--cluster-id', CLUSTER_ID, '--config', properties, ...logins]
  await promisify(execFile)(java, [...flags, 'kafka.tools.StorageTool', ...format])
  const engine = await startEngine({
    name: 'Kafka with users',
    folder,
    logDir: folder,
    logFile,
    command: [java, ...flags, 'kafka.Kafka', properties],
    stopBy: 'SIGTERM',
    isReady: () => answersMetadata(openPort),
    startDeadlineMs: START_DEADLINE_MS,
  })
  return { port, certificatePort, openPort, engine }
}

/** What a properties file says last holds. */
function securityProperties(
  { folder, authority, certificate, users }: SecureKafkaOptions,
  ports: Readonly<Record<'port' | 'certificatePort' | 'openPort' | 'controllerPort', number>>,
): string {
  const keystore = join(folder, 'broker.pem')
  writeFileSync(keystore, `${certificate.key}${certificate.cert}`)
  const listener = 'listener.name.users'
  const plain = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  const advertised = [
    `USERS://127.0.0.1:${ports.port}`,
    `CERTIFICATES://127.0.0.1:${ports.certificatePort}`,
    `PLAINTEXT://127.0.0.1:${ports.openPort}`,
  ].join(',')
  const values = {
    listeners: `${advertised},CONTROLLER://127.0.0.1:${ports.controllerPort}`,
    'advertised.listeners': advertised,
    'listener.security.protocol.map':
      'USERS:SASL_SSL,CERTIFICATES:SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'listener.name.certificates.ssl.client.auth': 'required',
    'inter.broker.listener.name': 'PLAINTEXT',
    [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${listener}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain.join(' ')};`,
    ...Object.fromEntries(
      ['scram-sha-256', 'scram-sha-512'].map((mechanism) => [
        `${listener}.${mechanism}.sasl.jaas.config`,
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      ]),
    ),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.caFile,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // Whoever comes over the listener without users, which only this machine reaches.
    'super.users': 'User:ANONYMOUS',
  }
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
