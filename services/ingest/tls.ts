import { createSecureContext, type SecureContextOptions, Server } from 'node:tls'
import { ServerCredentials } from '@grpc/grpc-js'
import { ConfigError, readNamedFile } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'

/** What the receivers need to speak TLS, in PEM. */
export interface ReceiverTls {
  readonly cert: Buffer
  readonly key: Buffer
  /** Who signs the certificates that clients must have; undefined: they need none. */
  readonly clientCa: Buffer | undefined
}

/** The files of it, each under the variable that names it. */
export interface ReceiverTlsFiles {
  readonly SPANMETER_OTLP_TLS_CERT?: string | undefined
  readonly SPANMETER_OTLP_TLS_KEY?: string | undefined
  readonly SPANMETER_OTLP_TLS_CLIENT_CA?: string | undefined
}

/** A client that has not agreed on a key by then is cut off. */
const MAX_HANDSHAKE_MS = 10_000

/** Reads the files; undefined where none is named. Throws ConfigError for what TLS cannot start with. */
export function readReceiverTls(files: ReceiverTlsFiles): ReceiverTls | undefined {
  const [cert, key, clientCa] = [
    readFile('SPANMETER_OTLP_TLS_CERT', files),
    readFile('SPANMETER_OTLP_TLS_KEY', files),
    readFile('SPANMETER_OTLP_TLS_CLIENT_CA', files),
  ]
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined
  if (cert === undefined || key === undefined) {
    throw new ConfigError(
      'Configuration is not valid:\n  TLS needs both SPANMETER_OTLP_TLS_CERT and SPANMETER_OTLP_TLS_KEY',
    )
  }
  const tls = { cert, key, clientCa }
  try {
    createSecureContext(secureContext(tls))
  } catch (error) {
    const named = Object.entries(files).flatMap(([name, file]) => (file ? [`${name}=${file}`] : []))
    throw new ConfigError(
      `Configuration is not valid:\n  ${named.join(', ')}: ${messageOf(error)}`,
      { cause: error },
    )
  }
  return tls
}

function readFile(name: keyof ReceiverTlsFiles, files: ReceiverTlsFiles): Buffer | undefined {
  const file = files[name]
  return file === undefined ? undefined : readNamedFile(name, file)
}

/** What may be taken over while a server runs. */
function secureContext({ cert, key, clientCa }: ReceiverTls): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ...(clientCa !== undefined && { ca: clientCa }) }
}

/** What a server is started with, its context included. */
export function serverTls(tls: ReceiverTls, requestTimeoutMs: number) {
  const requestCert = tls.clientCa !== undefined
  const handshakeTimeout = Math.min(MAX_HANDSHAKE_MS, requestTimeoutMs)
  return { ...secureContext(tls), requestCert, rejectUnauthorized: requestCert, handshakeTimeout }
}

/** Takes new certificates for connections to come; nothing where the server speaks no TLS. */
export function replaceTls(server: object, tls: ReceiverTls): void {
  if (server instanceof Server) server.setSecureContext(secureContext(tls))
}

/** Credentials of a gRPC server, whose certificates may be replaced while it runs. */
export class GrpcTls extends ServerCredentials {
  constructor(tls: ReceiverTls, requestTimeoutMs: number) {
    super(serverTls(tls, requestTimeoutMs), secureContext(tls))
  }

  replace(tls: ReceiverTls): void {
    this.updateSecureContextOptions(secureContext(tls))
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}
