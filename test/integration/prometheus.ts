import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { findFreePorts } from '../../services/embedded/ports.ts'
import type { Sample } from '../support/exposition.ts'
import { until } from '../support/stack.ts'

/** A real Prometheus that scrapes workers every second. */
export interface Prometheus {
  /** Answers of an instant query, now. */
  query(text: string): Promise<readonly Sample[]>
  stop(): Promise<void>
}

const PROGRAM = 'prometheus'
const answerOf = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
})

/** Whether Prometheus of the Debian package `prometheus` is here. */
export function hasPrometheus(): boolean {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Starts a Prometheus that scrapes these ports; resolves when it is ready. */
export async function startPrometheus(ports: readonly number[]): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'spanmeter-prometheus-'))
  const [port = 0] = await findFreePorts(1)
  const targets = ports.map((target) => `127.0.0.1:${target}`)
  const scrapes = [{ job_name: 'spanmeter', static_configs: [{ targets }] }]
  // JSON is YAML.
  const config = { global: { scrape_interval: '1s' }, scrape_configs: scrapes }
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const address = `127.0.0.1:${port}`
  const child = spawn(
    PROGRAM,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await until('Prometheus is ready', 30_000, isReady, (ok) => ok)
  return {
    async query(text) {
      const url = `http://${address}/api/v1/query?query=${encodeURIComponent(text)}`
      const { data } = answerOf.parse(await (await fetch(url)).json())
      return data.result.map(({ metric, value: [, value] }) => {
        const { __name__: name = '', job: _job, instance: _instance, ...labels } = metric
        return { name, labels, value }
      })
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
