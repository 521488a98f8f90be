import type OpenAI from 'openai'
import { drain, providerUrl, refused, type RunCase } from './tracing.ts'

const messages: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'system', content: 'Answer in one sentence.' },
  { role: 'user', content: 'Which way?' },
]
const input = 'Which way?'

/** Options of a client of the stub: a call is tried once, so that it is one span. */
export const clientOptions = () => ({
  baseURL: `${providerUrl()}/v1`,
  apiKey: 'test',
  maxRetries: 0,
})

/** Calls everything that instrumentations of the `openai` package may see. */
export async function callOpenAi(client: OpenAI, run: RunCase): Promise<void> {
  const { completions } = client.chat
  await run('chat', () => completions.create({ model: 'gpt-4o-mini', messages }))
  await run('chat-reasoning', () => completions.create({ model: 'o3', messages }))
  await run('chat-stream', async () => {
    const stream_options = { include_usage: true }
    await drain(
      await completions.create({ model: 'gpt-4o-mini', messages, stream: true, stream_options }),
    )
  })
  // Without include_usage OpenAI counts nothing.
  await run('chat-stream-uncounted', async () => {
    await drain(await completions.create({ model: 'gpt-4o-mini', messages, stream: true }))
  })
  await run('responses', () => client.responses.create({ model: 'gpt-5-mini', input }))
  await run('responses-stream', async () => {
    await drain(await client.responses.create({ model: 'gpt-5-mini', input, stream: true }))
  })
  await run('embeddings', () =>
    client.embeddings.create({ model: 'text-embedding-3-small', input }),
  )
  await run('error-429', () => refused(() => completions.create({ model: 'error-429', messages })))
  await run('error-context', () =>
    refused(() => completions.create({ model: 'error-context', messages })),
  )
}
