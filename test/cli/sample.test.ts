import { describe, expect, test } from 'vitest'
import { waitForAlerts } from '../../services/cli/sample.ts'
import { TransientError } from '#runtime/records.ts'

/** Lags of one group over time, the last for good; all others are at the end of their topics. */
function lagsOf(slow: string, lags: readonly (bigint | Error)[]) {
  const asked: string[] = []
  return {
    asked,
    async lag(group: string): Promise<bigint> {
      asked.push(group)
      if (group !== slow) return 0n
      const times = asked.filter((other) => other === slow).length
      const answer = lags[Math.min(times, lags.length) - 1] ?? 0n
      if (answer instanceof Error) throw answer
      return answer
    },
  }
}
const never = new AbortController().signal

describe('waitForAlerts', () => {
  test('waits until no reader has a lag, twice in a row', async () => {
    const kafka = lagsOf('alert-evaluate', [5n, 0n, 1n, 0n])
    expect(await waitForAlerts(kafka, never)).toBe(true)
    expect(kafka.asked.filter((group) => group === 'alert-evaluate')).toHaveLength(5)
  })

  test('asks in the order of the flow, and not beyond who is behind', async () => {
    const kafka = lagsOf('alert-aggregate-spans', [1n, 0n])
    await waitForAlerts(kafka, never)
    const pass = kafka.asked.slice(2)
    expect(kafka.asked.slice(0, 2)).toEqual(['enrich', 'alert-aggregate-spans'])
    expect(pass.indexOf('alert-aggregate-spans')).toBeLessThan(pass.indexOf('alert-evaluate'))
    expect(pass.indexOf('alert-evaluate')).toBeLessThan(pass.indexOf('sink-alerts'))
  })

  test('asks again where Kafka does not answer', async () => {
    const kafka = lagsOf('sink-alerts', [new TransientError('no answer'), 0n])
    expect(await waitForAlerts(kafka, never)).toBe(true)
  })

  test('fails with what is no passing failure', async () => {
    const kafka = lagsOf('sink-alerts', [new Error('a bug')])
    await expect(waitForAlerts(kafka, never)).rejects.toThrow('a bug')
  })

  test('ends at once when it is stopped', async () => {
    const stopping = new AbortController()
    const waiting = waitForAlerts(lagsOf('sink-alerts', [1n]), stopping.signal)
    stopping.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })
})
