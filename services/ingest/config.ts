import { z } from 'zod'
import { type ApiKeysFile, apiKeyVariables, readApiKeysFile } from '#runtime/api-keys-file.ts'
import {
  commonVariables,
  type CommonConfig,
  ConfigError,
  type Env,
  otlpVariables,
  parseCommonConfig,
  readVariables,
  wholeNumber,
} from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { type Conventions, loadConventions } from './conventions.ts'
import type { Policies } from './redact/policy.ts'
import { readRedaction, redactionVariables } from './redaction-config.ts'
import { type ReceiverTls, readReceiverTls } from './tls.ts'
import type { TranscodeLimits } from './transcode.ts'

const MIB = 1024 * 1024

/** The variables that ingest reads beside the common ones. */
export const ingestVariables = {
  SPANMETER_OTLP_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address that OTLP is received on; 0.0.0.0 for every network.'),
  ...otlpVariables,
  ...apiKeyVariables,
  SPANMETER_OTLP_TLS_CERT: z
    .string()
    .optional()
    .describe('File of the certificate (PEM) for OTLP over TLS, with its chain. Unset: no TLS.'),
  SPANMETER_OTLP_TLS_KEY: z.string().optional().describe('File of its private key (PEM).'),
  SPANMETER_OTLP_TLS_CLIENT_CA: z
    .string()
    .optional()
    .describe('File of who signs the certificates that clients must have (PEM). Unset: none.'),
  SPANMETER_OTLP_MAX_BODY_BYTES: wholeNumber(1_024, 64 * MIB)
    .default(64 * MIB)
    .describe('Largest request, as sent and after decompression.'),
  SPANMETER_OTLP_MAX_INFLIGHT_BYTES: wholeNumber(1_024, 4_096 * MIB)
    .default(256 * MIB)
    .describe('Bytes of requests that may be under way at once; beyond it clients get 429.'),
  SPANMETER_OTLP_MAX_ATTRIBUTES: wholeNumber(1, 10_000)
    .default(1_000)
    .describe('A span with more attributes becomes a dead letter.'),
  SPANMETER_OTLP_MAX_SPANS: wholeNumber(1, 10_000_000)
    .default(100_000)
    .describe('A request with more spans is refused as too large.'),
  SPANMETER_OTLP_MAX_VALUE_BYTES: wholeNumber(1_024, 64 * MIB)
    .default(16 * MIB)
    .describe('A span with a longer attribute, event or name becomes a dead letter.'),
  SPANMETER_CONTENT_MIN_BYTES: wholeNumber(64, 16 * MIB)
    .default(2_048)
    .describe('An attribute longer than this is content, stored and dropped with the prompt.'),
  ...redactionVariables,
  SPANMETER_DIALECTS: z
    .string()
    .optional()
    .describe('Folder of dialect files of your own, see dialects.md. Unset: those that ship.'),
  SPANMETER_INGEST_METRICS_PORT: wholeNumber(0, 65_535)
    .default(9464)
    .describe('Port of /metrics and /healthz of ingest; 0 for any free one.'),
} as const

/** Settings of ingest. */
export interface IngestConfig extends CommonConfig {
  readonly metricsPort: number
  readonly host: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly maxBodyBytes: number
  readonly maxInflightBytes: number
  /** Undefined: everybody may send. */
  readonly apiKeys: ApiKeysFile | undefined
  /** Undefined: connections are plain. */
  readonly tls: ReceiverTls | undefined
  readonly conventions: Conventions
  /** Undefined: everything is kept as it came. */
  readonly redaction: Policies | undefined
  readonly transcode: TranscodeLimits
}

/** Reads ingest's configuration. Throws ConfigError naming every bad variable. */
export function parseConfig(env: Env): IngestConfig {
  const v = readVariables({ ...commonVariables, ...ingestVariables }, env)
  const conventions = readConventions(v.SPANMETER_DIALECTS)
  return {
    ...parseCommonConfig(env),
    metricsPort: v.SPANMETER_INGEST_METRICS_PORT,
    host: v.SPANMETER_OTLP_HOST,
    httpPort: v.SPANMETER_OTLP_HTTP_PORT,
    grpcPort: v.SPANMETER_OTLP_GRPC_PORT,
    maxBodyBytes: v.SPANMETER_OTLP_MAX_BODY_BYTES,
    maxInflightBytes: v.SPANMETER_OTLP_MAX_INFLIGHT_BYTES,
    apiKeys: v.SPANMETER_API_KEYS === undefined ? undefined : readApiKeysFile(v.SPANMETER_API_KEYS),
    tls: readReceiverTls(v),
    conventions,
    redaction: readRedaction(v, conventions.dialects),
    transcode: {
      maxAttributes: v.SPANMETER_OTLP_MAX_ATTRIBUTES,
      maxAttributeBytes: v.SPANMETER_CONTENT_MIN_BYTES,
      maxValueBytes: v.SPANMETER_OTLP_MAX_VALUE_BYTES,
      maxSpans: v.SPANMETER_OTLP_MAX_SPANS,
      maxBatchBytes: MIB,
      maxOutputBytes: 4 * v.SPANMETER_OTLP_MAX_BODY_BYTES,
    },
  }
}

function readConventions(folder: string | undefined): Conventions {
  try {
    return loadConventions(folder)
  } catch (cause) {
    if (folder === undefined) throw cause
    const message = messageOf(cause)
    throw new ConfigError(`SPANMETER_DIALECTS=${folder}: ${message}`, { cause })
  }
}
