import { createServer, type Server, type ServerResponse } from 'node:http'
import { ConfigError, type Env } from './config.ts'
import { createLogger, type Logger } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'

/** What a running worker gives back: how to stop it, and how to have it take its rule files again. */
export interface Running<Config = never> {
  stop(): Promise<void>
  /** Takes over what the configuration's files say now; other settings hold until the next start. */
  reload?(config: Config): void
}

/** What a worker gets to start with. */
export interface ServiceContext<Config> {
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  /** Ends the process, non-zero: the worker met a bug and must not go on. */
  readonly onFatal: (error: Error) => void
}

export interface Service<Config extends ServiceConfig> {
  readonly name: string
  readonly parseConfig: (env: Env) => Config
  start(context: ServiceContext<Config>): Promise<Running<Config>>
}

/** The part of every worker's configuration that this file reads. */
export interface ServiceConfig {
  readonly logLevel: string
  readonly metricsHost: string
  readonly metricsPort: number
}

const STOP_DEADLINE_MS = 20_000
const EXIT_CONFIG = 78

/**
 * Runs a worker as this process: reads its configuration, serves /metrics and /healthz, reads rule
 * files again on SIGHUP, stops cleanly on SIGTERM, SIGINT and when its supervisor goes away. Only
 * main.ts files call it.
 */
export async function runService<Config extends ServiceConfig>(
  service: Service<Config>,
): Promise<void> {
  const config = readConfig(service)
  const logger = createLogger(service.name, config.logLevel)
  const metrics = createMetrics(service.name)
  const stopped = Promise.withResolvers<void>()
  let running: Running<Config> | undefined
  const health = await serveHealth(config, metrics, () => running !== undefined, logger)
  const stop = once(async (code: number) => {
    setTimeout(() => process.exit(code === 0 ? 1 : code), STOP_DEADLINE_MS).unref()
    await running?.stop()
    health.close()
    logger.info('Stopped.')
    process.exitCode = code
    stopped.resolve()
  })
  const onFatal = (error: Error) => {
    logger.fatal({ err: error }, 'The worker cannot go on.')
    void stop(1)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(0))
  process.on('SIGHUP', () => reload(service, running, logger))
  if (process.send !== undefined) process.on('disconnect', () => void stop(0))
  try {
    running = await service.start({ config, logger, metrics, onFatal })
    logger.info('Ready.')
    process.send?.({ type: 'ready' })
  } catch (error) {
    logger.fatal({ err: error }, 'The worker could not start.')
    void stop(1)
  }
  await stopped.promise
  // kafkajs and gRPC may hold sockets for a while; everything that matters is done.
  process.exit()
}

function readConfig<Config extends ServiceConfig>(service: Service<Config>): Config {
  try {
    return service.parseConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${service.name}: ${error.message}\n`)
    return process.exit(EXIT_CONFIG)
  }
}

/** A file that is wrong changes nothing: what was read before goes on. */
function reload<Config extends ServiceConfig>(
  service: Service<Config>,
  running: Running<Config> | undefined,
  logger: Logger,
): void {
  if (running?.reload === undefined) return
  try {
    running.reload(service.parseConfig(process.env))
    logger.info('Rule files were read again.')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    logger.error({ reason: error.message }, 'Rule files are wrong; those read before still hold.')
  }
}

function once(action: (code: number) => Promise<void>): (code: number) => Promise<void> {
  let result: Promise<void> | undefined
  return (code) => (result ??= action(code))
}

/** Serves /metrics and /healthz; a port that is taken is replaced by a free one, as copies share a default. */
async function serveHealth(
  { metricsHost: host, metricsPort: port }: ServiceConfig,
  metrics: Metrics,
  isReady: () => boolean,
  logger: Logger,
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      void sendMetrics(metrics, response)
    } else if (request.url === '/healthz') {
      response.writeHead(isReady() ? 200 : 503).end(isReady() ? 'ok\n' : 'starting\n')
    } else response.writeHead(404).end('There are /metrics and /healthz.\n')
  })
  try {
    await listen(server, { host, port })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    await listen(server, { host, port: 0 })
  }
  logger.info({ address: server.address() }, 'Serving /metrics and /healthz.')
  return server
}

async function sendMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  const text = await metrics.text()
  response.setHeader('Content-Type', metrics.registry.contentType).end(text)
}

function listen(
  server: Server,
  address: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
