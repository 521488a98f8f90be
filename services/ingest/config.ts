import { z } from 'zod'
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
import type { TranscodeLimits } from './transcode.ts'

const MIB = 1024 * 1024

/** The variables that ingest reads beside the common ones. */
export const ingestVariables = {
  SPANMETER_OTLP_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address that OTLP is received on; 0.0.0.0 for every network.'),
  ...otlpVariables,
  SPANMETER_OTLP_MAX_BODY_BYTES: wholeNumber(1_024, 64 * MIB)
    .default(64 * MIB)
    .describe('Largest request, as sent and after decompression.'),
  SPANMETER_OTLP_MAX_INFLIGHT_BYTES: wholeNumber(1_024, 4_096 * MIB)
    .default(256 * MIB)
    .describe('Bytes of requests that may be under way at once; beyond it clients get 429.'),
  SPANMETER_OTLP_MAX_ATTRIBUTES: wholeNumber(1, 10_000)
    .default(1_000)
    .describe('A span with more attributes becomes a dead letter.'),
  SPANMETER_CONTENT_MIN_BYTES: wholeNumber(64, 16 * MIB)
    .default(2_048)
    .describe('An attribute longer than this is content, stored and dropped with the prompt.'),
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
  readonly conventions: Conventions
  readonly transcode: TranscodeLimits
}

/** Reads ingest's configuration. Throws ConfigError naming every bad variable. */
export function parseConfig(env: Env): IngestConfig {
  const v = readVariables({ ...commonVariables, ...ingestVariables }, env)
  return {
    ...parseCommonConfig(env),
    metricsPort: v.SPANMETER_INGEST_METRICS_PORT,
    host: v.SPANMETER_OTLP_HOST,
    httpPort: v.SPANMETER_OTLP_HTTP_PORT,
    grpcPort: v.SPANMETER_OTLP_GRPC_PORT,
    maxBodyBytes: v.SPANMETER_OTLP_MAX_BODY_BYTES,
    maxInflightBytes: v.SPANMETER_OTLP_MAX_INFLIGHT_BYTES,
    conventions: readConventions(v.SPANMETER_DIALECTS),
    transcode: {
      maxAttributes: v.SPANMETER_OTLP_MAX_ATTRIBUTES,
      maxAttributeBytes: v.SPANMETER_CONTENT_MIN_BYTES,
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
