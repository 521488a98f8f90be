import { describe, expect, it } from 'vitest'
import { brokerProperties } from '../../services/embedded/kafka-properties.ts'

const lines = brokerProperties({
  port: 1111,
  controllerPort: 2222,
  dataFolder: String.raw`/data\kafka`,
}).split('\n')

describe('brokerProperties', () => {
  it('binds and advertises loopback only', () => {
    expect(lines).toContain('listeners=PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222')
    expect(lines).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:1111')
    expect(lines).toContain('controller.quorum.voters=1@127.0.0.1:2222')
  })

  it('escapes what a properties file would take for an escape', () => {
    expect(lines).toContain(String.raw`log.dirs=/data\\kafka`)
  })

  it('never makes a topic by accident', () => {
    expect(lines).toContain('auto.create.topics.enable=false')
  })

  it('takes batches of 80 MiB', () => {
    expect(lines).toContain('message.max.bytes=83886080')
  })

  it('sets nothing twice', () => {
    const names = lines.map((line) => line.split('=')[0])
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('detours', () => {
  const detoured = brokerProperties({
    port: 1111,
    controllerPort: 2222,
    dataFolder: '/data',
    detours: [
      { port: 3333, advertisedPort: 4444 },
      { port: 5555, advertisedPort: 6666 },
    ],
  }).split('\n')

  it('are listened on, and told to come to another port', () => {
    expect(detoured).toContain(
      'listeners=PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222,DETOUR0://127.0.0.1:3333,DETOUR1://127.0.0.1:5555',
    )
    expect(detoured).toContain(
      'advertised.listeners=PLAINTEXT://127.0.0.1:1111,DETOUR0://127.0.0.1:4444,DETOUR1://127.0.0.1:6666',
    )
  })

  it('leave the broker its own listener', () => {
    expect(detoured).toContain('inter.broker.listener.name=PLAINTEXT')
    expect(detoured).toContain(
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR0:PLAINTEXT,DETOUR1:PLAINTEXT',
    )
  })
})
