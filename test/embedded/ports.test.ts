import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findFreePorts, requireFreePorts } from '../../services/embedded/ports.ts'

describe('requireFreePorts', () => {
  it('names every taken port and the variable that changes it', async () => {
    const [taken = 0, free = 0] = await findFreePorts(2)
    const server = createServer().listen(taken, '127.0.0.1')
    await once(server, 'listening')
    const wanted = [
      { port: taken, engine: 'Kafka', variable: 'PORT_A' },
      { port: free, engine: 'Kafka', variable: 'PORT_B' },
    ]
    const error = await requireFreePorts(wanted).catch((reason: unknown) => String(reason))
    server.close()
    await once(server, 'close')
    expect(error).toMatch(new RegExp(`Port ${taken} on 127.0.0.1.*set PORT_A to a free port`))
    expect(error).not.toContain('PORT_B')
    await expect(requireFreePorts(wanted)).resolves.toBeUndefined()
  })
})

describe('findFreePorts', () => {
  it('gives different ports', async () => {
    expect(new Set(await findFreePorts(5)).size).toBe(5)
  })
})
