import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'

/** What a script tells the test that started it, as one line of JSON. */
export interface SdkRun {
  /** Trace ids by the names of the cases. */
  readonly traces: Readonly<Record<string, string>>
  readonly spans: number
}

/** Runs a case under a span that stands for a request to the user's own application. */
export type RunCase = (name: string, call: () => Promise<unknown>) => Promise<void>

/** Tracing of a script: every case is a trace of its own. */
interface Tracing {
  readonly run: RunCase
  /** Sends what is left, and tells the test. */
  end(): Promise<void>
}

/** Starts tracing as an application would; the exporter reads where to send from its own variables. */
export function startTracing(service: string): Tracing {
  let spans = 0
  const counter: SpanProcessor = {
    onStart: () => undefined,
    onEnd: () => void spans++,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [counter, new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(provider)
  const traces: Record<string, string> = {}
  return {
    run: (name, call) =>
      trace.getTracer('application').startActiveSpan(name, async (span) => {
        traces[name] = span.spanContext().traceId
        await call()
        span.end()
      }),
    async end() {
      await provider.shutdown()
      const run: SdkRun = { traces, spans }
      process.stdout.write(`${JSON.stringify(run)}\n`)
    },
  }
}

/** An instrumentation whose types are those of another version of the package that it patches. */
export interface Instruments {
  manuallyInstrument(module: unknown): void
}

/** Calls what a provider must refuse. */
export async function refused(call: () => PromiseLike<unknown>): Promise<void> {
  const isRefused = await Promise.resolve(call()).then(
    () => false,
    () => true,
  )
  if (!isRefused) throw new Error('The provider took what it must refuse')
}

/** Reads a stream to its end. */
export async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** Where the stub of the providers listens. */
export function providerUrl(): string {
  const url = process.env['PROVIDER_URL']
  if (url === undefined) throw new Error('PROVIDER_URL is not set')
  return url
}
