const INTERRUPTED_EXIT_CODE = 130
/** npm passes a signal on that the terminal has sent already. */
const SAME_SIGNAL_MS = 1_000

/** The first signal stops between two steps, one that comes later at once: the next run starts over. */
export function stopOnSignal(say: (text: string) => void): AbortSignal {
  const stopping = new AbortController()
  let firstMs: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      firstMs ??= performance.now()
      if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(INTERRUPTED_EXIT_CODE)
      if (stopping.signal.aborted) return
      process.exitCode = INTERRUPTED_EXIT_CODE
      say('Stopping. Run the same again to complete what was begun.')
      stopping.abort()
    })
  }
  return stopping.signal
}

/** Gives undefined where a signal ended the work: there is nothing to say of it then. */
export async function unlessStopped<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
