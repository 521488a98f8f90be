import { drain, providerUrl, refused, type RunCase } from './tracing.ts'

/** Options of a client of the stub: a call is tried once, so that it is one span. */
export const clientOptions = () => ({ baseURL: providerUrl(), apiKey: 'test', maxRetries: 0 })

interface Question {
  readonly model: 'claude-sonnet-4-5' | 'claude-haiku-4-5' | 'error-429' | 'error-context'
  readonly max_tokens: number
  readonly messages: { readonly role: 'user'; readonly content: string }[]
}

/** What every version of Anthropic's client can do. */
interface Client {
  readonly messages: {
    create(question: Question & { readonly stream: true }): PromiseLike<AsyncIterable<unknown>>
    create(question: Question): PromiseLike<unknown>
    stream(question: Question): { finalMessage(): Promise<unknown> }
  }
}

const question: Question = {
  model: 'claude-sonnet-4-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Which way?' }],
}

/** Calls everything that instrumentations of Anthropic's package may see. */
export async function callAnthropic({ messages }: Client, run: RunCase): Promise<void> {
  await run('messages', async () => messages.create(question))
  await run('messages-stream', async () =>
    drain(await messages.create({ ...question, stream: true })),
  )
  await run('messages-stream-final', () => messages.stream(question).finalMessage())
  await run('messages-small-cache', async () =>
    messages.create({ ...question, model: 'claude-haiku-4-5' }),
  )
  await run('error-429', () => refused(() => messages.create({ ...question, model: 'error-429' })))
  await run('error-context', () =>
    refused(() => messages.create({ ...question, model: 'error-context' })),
  )
}
