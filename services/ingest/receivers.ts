import { isIP } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { Running } from '#runtime/service.ts'
import { admitAll, createApiKeys } from './api-keys.ts'
import type { IngestConfig } from './config.ts'
import { startGrpcReceiver } from './otlp-grpc.ts'
import { createHttpReceiver, type HttpReceiverOptions } from './otlp-http.ts'
import { createByteBudget } from './receiver-limits.ts'
import { shedLoad } from './shed-load.ts'
import { createTenantLimits } from './tenant-limits.ts'
import { replaceTls } from './tls.ts'

const MAX_CONNECTIONS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const MAX_BUSY_MS = 250

/** What a configuration says of the receivers that may change while they run. */
export type ReceiverFiles = Pick<IngestConfig, 'apiKeys' | 'tls'>

/** Starts the receivers over HTTP and gRPC, which share one budget of bytes, one set of keys and limits. */
export async function startReceivers(
  config: IngestConfig,
  accepts: Pick<HttpReceiverOptions, 'accept' | 'acceptEvaluations'>,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<Required<Running<ReceiverFiles>>> {
  const { host, httpPort, grpcPort, tls } = config
  const apiKeys =
    config.apiKeys === undefined
      ? undefined
      : createApiKeys(config.apiKeys, {
          limits: createTenantLimits(() => performance.now()),
          now: Date.now,
        })
  const options = {
    ...accepts,
    logger,
    limits: {
      maxRequestBytes: config.maxBodyBytes,
      maxInflightBytes: config.maxInflightBytes,
      maxConnections: MAX_CONNECTIONS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    },
    budget: createByteBudget(config.maxInflightBytes),
    onRefused: countRefused(metrics),
    admit: shedLoad(apiKeys?.admit ?? admitAll, {
      maxBusyMs: MAX_BUSY_MS,
      now: () => performance.now(),
      afterTurn: (task) => setImmediate(task),
    }),
    ...(tls !== undefined && { tls }),
  }
  const http = createHttpReceiver(options)
  await http.listen({ host, port: httpPort })
  const grpc = await startGrpcReceiver({ ...options, host, port: grpcPort })
  const isOpen = apiKeys === undefined && tls?.clientCa === undefined
  const safety = { tls: tls !== undefined, apiKeys: config.apiKeys?.keys.length ?? 'none' }
  logger.info({ host, http: httpPort, grpc: grpcPort, ...safety }, 'Receiving OTLP.')
  if (!isLoopback(host) && isOpen) logger.warn({ host }, OPEN_TO_ALL)
  return {
    reload(next) {
      if (next.apiKeys !== undefined) apiKeys?.replace(next.apiKeys)
      if (next.tls === undefined) return
      grpc.replaceTls(next.tls)
      replaceTls(http.server, next.tls)
    },
    async stop() {
      await Promise.all([http.close(), grpc.stop()])
    },
  }
}

const OPEN_TO_ALL =
  'Whoever reaches this address may send, as any tenant. Set SPANMETER_API_KEYS, or SPANMETER_OTLP_HOST to 127.0.0.1.'

function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === 'localhost' || host === '::1'
}

function countRefused(metrics: Metrics): (via: string, reason: string) => void {
  const refused = metrics.counter(
    'spanmeter_refused_requests_total',
    'Requests that were not taken in, by their way in and why.',
    ['via', 'reason'],
  )
  return (via, reason) => refused.inc({ via, reason })
}
