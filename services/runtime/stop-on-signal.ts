const INTERRUPTED_EXIT_CODE = 130
/** npm and a parent process pass a signal on that the terminal has sent already. */
const SAME_SIGNAL_MS = 1_000

/**
 * For work that can be cut off and run again. The first signal stops it between two steps, when
 * `onStop` says so to whoever waits; one that comes later ends the process at once.
 */
export function stopOnSignal(onStop: (message: string) => void): AbortSignal {
  const stopping = new AbortController()
  let firstMs: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      firstMs ??= performance.now()
      if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(INTERRUPTED_EXIT_CODE)
      if (stopping.signal.aborted) return
      process.exitCode = INTERRUPTED_EXIT_CODE
      onStop('Stopping. Run the same again to complete what was begun.')
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
