import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import * as alert from '../../services/alert/config.ts'
import { accessVariables } from '../../services/cli/access/access-config.ts'
import { WORKERS } from '../../services/cli/workers.ts'
import { brokerProperties } from '../../services/embedded/kafka-properties.ts'
import * as enrich from '../../services/enrich/config.ts'
import * as ingest from '../../services/ingest/config.ts'
import * as sink from '../../services/sink/config.ts'
import {
  bytesOf,
  composeText,
  type ComposeService,
  readCompose,
  ROOT,
  usesOf,
} from '../support/compose-file.ts'

/** docker-compose.yml, the image and what both mount, against the code that runs in them. */

const GIB = 2 ** 30
const compose = readCompose({})
const services = Object.entries(compose.services)
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const dockerfile = read('services/Dockerfile')
const table = z.record(z.string(), z.unknown())
const packageJson = z
  .object({ version: z.string(), dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')))

const OURS = `spanmeter:${packageJson.version}`
const isOurs = ({ image }: ComposeService): boolean => image === OURS
const isOnce = ({ restart }: ComposeService): boolean => restart === 'no'
const isAlwaysThere = ({ profiles }: ComposeService): boolean => profiles.length === 0
const get = (name: string): ComposeService => {
  const found = compose.services[name]
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
  return found
}
const namesOf = (wanted: (service: ComposeService) => boolean): readonly string[] =>
  services.filter(([, service]) => wanted(service)).map(([name]) => name)

/** Services whose containers have a variable. */
const knowing = (name: string) => namesOf(({ environment }) => name in environment)

/** Address, port of this machine and port within, of every port that is open. */
const portsOf = (names: readonly string[]) =>
  names.flatMap((name) => get(name).ports.map((port) => port.split(':')))

const propertiesOf = (text: string) =>
  new Map([...text.matchAll(/^([\w.]+)=(.*)$/gm)].map(([, name = '', value]) => [name, value]))

/** Files of ours that a file imports, runs or reads by its place. */
const reachedBy = (file: string): readonly string[] =>
  [...read(file).matchAll(/(?:from|import|executableFile:|new URL\()\s*\(?'([.#][^']*)'/g)].map(
    ([, path = '']) => {
      if (path.startsWith('#runtime/')) return path.replace('#', 'services/')
      if (path.startsWith('#schemas/')) return path.replace('#', '')
      return relative(ROOT, resolve(ROOT, dirname(file), path))
    },
  )

/** Variables that the image sets. */
const imageEnv = Object.fromEntries(
  [...dockerfile.matchAll(/^(?:ENV|\s+) ?([A-Z_]+)=(\S+)/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
)

describe('Images', () => {
  const base = /^FROM (\S+)/m.exec(dockerfile)?.[1] ?? ''

  test('are all of one exact version', () => {
    const images = [...services.map(([, { image }]) => image), base]
    const exact = /^[a-z0-9][\w./-]*:v?\d+\.\d+\.\d+(?:\.\d+)?(?:-[a-z]+)*$/
    expect(images.filter((image) => !exact.test(image))).toEqual([])
    expect(new Set([...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, from]) => from)).size).toBe(1)
  })

  test('are of the versions that the tests run', () => {
    const embedded = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([\d.]+)</.exec(
      read('services/embedded/pom.xml'),
    )?.[1]
    const engine = /"node_modules\/@chdb\/lib-linux-x64-gnu": \{\s*"version": "([\d.]+)-/.exec(
      read('package-lock.json'),
    )?.[1]
    expect(get('kafka').image).toBe(`apache/kafka:${embedded}`)
    expect(get('clickhouse').image).toMatch(`clickhouse/clickhouse-server:${engine}.`)
    expect(base).toMatch(`node:${packageJson.dependencies['node']}-`)
  })

  test('that have a build are the one image of this version', () => {
    const built = namesOf(({ build }) => build !== undefined)
    expect(built).toEqual(namesOf(isOurs))
    expect(built).toEqual(expect.arrayContaining([...WORKERS, 'access', 'setup', 'spanmeter']))
    for (const name of built) {
      expect(get(name).build).toEqual({ context: '.', dockerfile: 'services/Dockerfile' })
    }
  })
})

describe('Containers', () => {
  test.each(services)('of %s may do no more than they need', (_, service) => {
    expect(service.read_only).toBe(true)
    expect(service.cap_drop).toEqual(['ALL'])
    expect(service.cap_add).toEqual([])
    expect(service.security_opt).toEqual(['no-new-privileges:true'])
    expect(service.privileged ?? false).toBe(false)
    expect(service.network_mode ?? 'none').toBe('none')
    expect(service.logging.options).toMatchObject({ 'max-size': '10m', 'max-file': '3' })
    expect(['no', 'unless-stopped']).toContain(service.restart)
  })

  test('of a worker may be many', () => {
    for (const name of ['enrich', 'sink', 'alert']) expect(get(name).ports).toEqual([])
    expect(services.filter(([, service]) => service.container_name !== undefined)).toEqual([])
    expect(Number(get('setup').environment['SPANMETER_PARTITIONS'])).toBeGreaterThanOrEqual(3)
  })

  test('that go on running have a health check, and time to stop', () => {
    const unchecked = services.filter(
      ([, service]) =>
        !isOnce(service) &&
        service.healthcheck?.test === undefined &&
        !(isOurs(service) && service.healthcheck === undefined && /^HEALTHCHECK/m.test(dockerfile)),
    )
    // There is nothing in its image that could ask.
    expect(unchecked.map(([name]) => name)).toEqual(['collector'])
    const hasty = [...WORKERS, 'kafka', 'clickhouse'].filter(
      (name) => !/^[36]0s$/.test(get(name).stop_grace_period ?? ''),
    )
    expect(hasty).toEqual([])
  })

  test('wait for what they need', () => {
    const wrong = services.flatMap(([name, { depends_on }]) =>
      Object.entries(depends_on)
        .filter(
          ([other, { condition }]) =>
            condition !==
            (isOnce(get(other)) ? 'service_completed_successfully' : 'service_healthy'),
        )
        .map(([other]) => `${name} → ${other}`),
    )
    expect(wrong).toEqual([])
    expect(Object.keys(get('setup').depends_on)).toEqual(['kafka', 'clickhouse'])
    expect(Object.keys(get('clickhouse').depends_on)).toEqual(['access'])
    for (const worker of WORKERS) expect(get(worker).depends_on).toHaveProperty('setup')
  })

  test('take 4 GiB at most, and programs in them less than their container', () => {
    const staying = services.filter(([, service]) => !isOnce(service) && isAlwaysThere(service))
    const bytes = staying.map(([, { mem_limit }]) => bytesOf(mem_limit))
    expect(staying.map(([name]) => name)).toEqual(expect.arrayContaining([...WORKERS, 'grafana']))
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(4 * GIB)
    for (const worker of WORKERS) {
      const { environment, mem_limit } = get(worker)
      const flags = environment['NODE_OPTIONS'] ?? ''
      const [old = 0, semi = 0] = [...flags.matchAll(/=(\d+)/g)].map(([, mib]) => Number(mib))
      expect(flags).toMatch(/^--max-old-space-size=\d+ --max-semi-space-size=\d+$/)
      expect((old + 3 * semi) * 2 ** 20).toBeLessThan(0.75 * bytesOf(mem_limit))
    }
    const heap = (get('kafka').environment['KAFKA_HEAP_OPTS'] ?? '').replace('-Xmx', '')
    expect(bytesOf(heap)).toBeLessThan(0.6 * bytesOf(get('kafka').mem_limit))
  })
})

describe('Passwords', () => {
  // A key of TLS is a file's name.
  const SECRET = /PASSWORD|SECRET|TOKEN|(?<!_TLS)_KEY$/

  test('have no default, and stand in no file', () => {
    const secrets = usesOf(composeText).filter(({ name }) => SECRET.test(name))
    expect(new Set(secrets.map(({ name }) => name)).size).toBe(5)
    expect(secrets.filter(({ operator }) => operator !== ':?')).toEqual([])
    const filled = readCompose({}, 'a-stand-in')
    const values = Object.values(filled.services).flatMap(({ environment }) =>
      Object.entries(environment).filter(([name]) => SECRET.test(name)),
    )
    expect(values.length).toBeGreaterThan(5)
    expect(values.filter(([, value]) => value !== 'a-stand-in')).toEqual([])
  })

  test('are known to those who need them alone', () => {
    expect(knowing('SPANMETER_CLICKHOUSE_PASSWORD')).toEqual(['setup', 'sink', 'spanmeter'])
    expect(knowing('SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD')).toEqual(['access', 'grafana'])
    expect(knowing('SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD')).toEqual(['access'])
  })

  test('are made by the command that .env.example and the page name', () => {
    const command = /^\(umask 077; (awk .*) > \.env\)$/m.exec(read('docs/compose.md'))?.[1] ?? ''
    expect(read('.env.example')).toContain(`(umask 077; ${command} > .env)`)
    const made = execFileSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8' })
    const values = [...made.matchAll(/^[A-Z_]+=(.*)$/gm)].map(([, value]) => value)
    expect(values.every((value) => /^[0-9a-f]{48}$/.test(value ?? ''))).toBe(true)
    expect(new Set(values).size).toBe(5)
    expect(made.split('\n').length).toBe(read('.env.example').split('\n').length)
  })
})

describe('.env.example', () => {
  const lines = [...read('.env.example').matchAll(/^(#?)([A-Z_]+)=(.*)$/gm)].map(
    ([, mark, name = '', value = '']) => ({ isDefault: mark === '#', name, value }),
  )

  test('has exactly the variables that the file uses', () => {
    const used = new Set(usesOf(composeText).map(({ name }) => name))
    expect(lines.map(({ name }) => name).toSorted()).toEqual([...used].toSorted())
  })

  test('gives the defaults that hold, and leaves open what has none', () => {
    const uses = usesOf(composeText)
    const wrong = lines.filter(({ name, isDefault, value }) => {
      const own = uses.filter((use) => use.name === name)
      if (!isDefault) return own.some(({ operator }) => operator !== ':?')
      // Its default is put together from another variable's.
      const isSame = name === 'SPANMETER_GRAFANA_URL' || own.every((use) => use.operand === value)
      return !isSame || own.some(({ operator }) => operator !== ':-')
    })
    expect(wrong).toEqual([])
    expect(get('grafana').environment['GF_SERVER_ROOT_URL']).toBe(
      lines.find(({ name }) => name === 'SPANMETER_GRAFANA_URL')?.value,
    )
  })
})

describe('Ports', () => {
  test('are those that everything else expects, on this machine alone', () => {
    const all = portsOf(namesOf(() => true))
    expect(all.filter(([address]) => address !== '127.0.0.1')).toEqual([])
    const always = portsOf(namesOf(isAlwaysThere))
    expect(always.filter(([, host, inside]) => host !== inside)).toEqual([])
    expect(always.map(([, host]) => Number(host)).toSorted((a, b) => a - b)).toEqual([
      3000, 4317, 4318, 8123, 9000, 9092,
    ])
    expect(new Set(all.map(([, host]) => host)).size).toBe(all.length)
  })

  test('of Kafka are told to clients as they are, on other addresses too', () => {
    const given = { SPANMETER_KAFKA_HOST: 'kafka.example.com', SPANMETER_KAFKA_PORT: '19092' }
    const moved = readCompose({ ...given, SPANMETER_KAFKA_ADDRESS: '0.0.0.0' }).services['kafka']
    expect(moved?.ports).toEqual(['0.0.0.0:19092:9092'])
    expect(moved?.environment['ADVERTISED']).toBe(
      'INTERNAL://kafka:19092,HOST://kafka.example.com:19092',
    )
  })
})

describe('Variables', () => {
  test('are known to the configuration', () => {
    const page = read('docs/configuration.md').matchAll(/^\| `(SPANMETER_\w+)`/gm)
    const known = new Set(
      [...page].map(([, name = '']) => name).concat(Object.keys(accessVariables)),
    )
    const set = [
      ...Object.keys(imageEnv),
      ...services.flatMap(([, { environment }]) => Object.keys(environment)),
    ].filter((name) => name.startsWith('SPANMETER_'))
    expect(set.length).toBeGreaterThan(30)
    expect([...new Set(set)].filter((name) => !known.has(name))).toEqual([])
  })

  const configs = { ingest, enrich, sink, alert }
  test.each(WORKERS)('of %s are valid, and lead to Kafka and all networks', (worker) => {
    const env = { ...imageEnv, ...get(worker).environment }
    const config = configs[worker].parseConfig(env)
    expect(config.kafka.brokers).toEqual(['kafka:19092'])
    expect(config.metricsPort).toBe(9464)
    expect(env).toMatchObject({
      SPANMETER_METRICS_HOST: '0.0.0.0',
      SPANMETER_OTLP_HOST: '0.0.0.0',
    })
  })

  test('let the sink and those who make tables alone know ClickHouse', () => {
    const users = services.flatMap(([name, { environment }]) => {
      const user = environment['SPANMETER_CLICKHOUSE_USER']
      return user === undefined ? [] : [`${name}: ${user}`]
    })
    expect(users).toEqual(['setup: migrator', 'sink: writer', 'spanmeter: migrator'])
  })
})

describe.concurrent('Commands', () => {
  const run = promisify(execFile)
  const entrypoint = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    run('sh', [join(ROOT, 'services/entrypoint.sh'), ...args], {
      env: { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, ...env },
    })

  test.each(WORKERS)('start %s by its name', async (worker) => {
    expect(get(worker).command).toEqual([worker])
    const started = entrypoint([worker], { SPANMETER_LOG_LEVEL: 'none' })
    await expect(started).rejects.toMatchObject({
      code: 78,
      stderr: expect.stringMatching(new RegExp(`^${worker}: .*\\n.*SPANMETER_LOG_LEVEL=none`)),
    })
  })

  test.each(
    services.filter(([name, service]) => isOurs(service) && !WORKERS.some((w) => w === name)),
  )('of %s are there, with their options', async (_, { command = [] }) => {
    const firstOption = command.findIndex((part) => part.startsWith('--'))
    const words = firstOption < 0 ? command : command.slice(0, firstOption)
    const { stdout } = await entrypoint([...words, '--help'], {})
    expect(stdout).toContain(`Usage: ${['spanmeter', ...words].join(' ')} [options]`)
    for (const option of command.filter((part) => part.startsWith('--'))) {
      expect(stdout).toMatch(new RegExp(`${option}\\b`))
    }
  })
})

describe('Files', () => {
  test('that are mounted are there', () => {
    const mounted = services.flatMap(([, { volumes }]) =>
      volumes.map((volume) =>
        typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source,
      ),
    )
    const paths = [
      ...mounted.filter((source) => source.startsWith('.')),
      ...Object.values(compose.configs).map(({ file }) => file),
    ]
    expect(paths.length).toBeGreaterThan(8)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    const named = mounted.filter((source) => !source.startsWith('.'))
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
    const sources = services.flatMap(([, { configs }]) => configs.map(({ source }) => source))
    expect(sources.toSorted()).toEqual(Object.keys(compose.configs).toSorted())
  })

  test('of Kafka say what the embedded one is told', () => {
    const ours = propertiesOf(read('services/compose/kafka.properties'))
    const embedded = propertiesOf(
      brokerProperties({ port: 9092, controllerPort: 9093, dataFolder: '/data' }),
    )
    const PLACES = ['listeners', 'advertised.listeners', 'log.dirs']
    const ELSEWHERE = ['listener.security.protocol.map', 'inter.broker.listener.name']
    for (const name of PLACES) embedded.delete(name)
    for (const name of [...PLACES, ...ELSEWHERE]) ours.delete(name)
    expect(ours).toEqual(embedded)
    // Java maps the library for zstd into memory from there.
    expect(get('kafka').tmpfs[0]).toMatch(/^\/tmp:.*\bexec\b/)
  })

  test('of ClickHouse lead to the users file, and cap every log table', () => {
    const xml = read('services/compose/clickhouse.xml')
    const out = get('access').command?.[(get('access').command ?? []).indexOf('--out') + 1]
    expect(xml).toContain(`<path>${out}</path>`)
    const users = get('clickhouse').volumes.find(
      (volume) => typeof volume !== 'string' && volume.source === 'clickhouse-access',
    )
    expect(users).toMatchObject({ target: dirname(out ?? ''), read_only: true })
    expect(get('access').user).toBe(get('clickhouse').user)
    expect(dockerfile).toContain(`--owner=101 --group=101 ${dirname(out ?? '')} `.trimEnd())
    const logs = [...xml.matchAll(/<(\w+_log)>([\s\S]*?)<\/\1>/g)]
    expect(logs.map(([, name]) => name)).toEqual(['query_log', 'session_log'])
    expect(logs.every(([, , body]) => /TTL event_date \+ INTERVAL \d+ DAY/.test(body ?? ''))).toBe(
      true,
    )
  })

  test('of Prometheus name every worker, on the port of the image', () => {
    const shape = z.object({ scrape_configs: z.array(table) })
    const { scrape_configs } = shape.parse(parse(read('services/compose/prometheus.yml')))
    expect(scrape_configs[0]?.['dns_sd_configs']).toEqual([
      { names: [...WORKERS], type: 'A', port: 9464, refresh_interval: '15s' },
    ])
    expect(/^HEALTHCHECK[\s\S]*?(\d+)\/healthz/m.exec(dockerfile)?.[1]).toBe('9464')
    for (const worker of WORKERS) {
      expect(imageEnv[`SPANMETER_${worker.toUpperCase()}_METRICS_PORT`]).toBe('9464')
    }
  })
})

describe('Grafana', () => {
  const { environment, volumes } = get('grafana')
  const sources = z.object({ datasources: z.array(table) })
  const [clickhouse] = sources.parse(
    parse(read('grafana/provisioning/datasources/clickhouse.yaml')),
  ).datasources

  test('has the plugin and the user of its data source', () => {
    expect(clickhouse).toMatchObject({
      uid: 'spanmeter-clickhouse',
      type: 'grafana-clickhouse-datasource',
      jsonData: { host: 'clickhouse', port: 9000, protocol: 'native', username: 'grafana' },
    })
    const { version } = z.object({ version: z.string() }).parse(clickhouse?.['jsonData'])
    expect(environment['GF_PLUGINS_PREINSTALL_SYNC']).toBe(
      `grafana-clickhouse-datasource@${version}`,
    )
    const named = readdirSync(join(ROOT, 'grafana/provisioning/datasources')).flatMap((file) => [
      ...read(`grafana/provisioning/datasources/${file}`).matchAll(/\$\{?([A-Z_]+)/g),
    ])
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(([, name = '']) => !(name in environment))).toEqual([])
  })

  test('finds dashboards, the first of them at home', () => {
    const shape = z.object({
      providers: z.array(z.object({ folder: z.string(), options: z.object({ path: z.string() }) })),
    })
    const { providers } = shape.parse(parse(read('grafana/provisioning/dashboards/spanmeter.yaml')))
    const path = providers[0]?.options.path ?? ''
    expect(providers[0]?.folder).toBe('Spanmeter')
    expect(volumes).toContain(`./grafana/dashboards:${path}:ro`)
    const home = environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? ''
    const dashboard = z
      .object({ uid: z.string() })
      .parse(JSON.parse(read(join('grafana/dashboards', relative(path, home)))))
    expect(dashboard.uid).toBe('spanmeter-overview')
  })

  test('lets nobody in without a password, and tells nobody', () => {
    expect(environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'false',
      GF_USERS_ALLOW_SIGN_UP: 'false',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      // In a read-only container an update takes the plugins away that come with the image.
      GF_PLUGINS_PREINSTALL_AUTO_UPDATE: 'false',
    })
    expect(get('alert').environment['SPANMETER_GRAFANA_URL']).toBe(
      environment['GF_SERVER_ROOT_URL'],
    )
  })
})

describe('The image', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  )
  const isCopied = (path: string): boolean =>
    copied.some((from) => path === from || path.startsWith(`${from}/`))

  test('has every file that workers and commands reach', () => {
    const seen = new Set([...WORKERS, 'cli'].map((name) => `services/${name}/main.ts`))
    for (const file of seen) {
      if (file.endsWith('.ts')) for (const path of reachedBy(file)) seen.add(path)
    }
    expect(seen.size).toBeGreaterThan(150)
    expect([...seen].filter((path) => !isCopied(path))).toEqual([])
    expect([...seen].filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('is sent nothing but what it copies', () => {
    const lines = read('services/Dockerfile.dockerignore').split('\n')
    const sent = lines.flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    expect(lines.find((line) => line !== '' && !line.startsWith('#'))).toBe('*')
    expect(sent.map((path) => path.replace('/**', '')).toSorted()).toEqual(
      [...new Set(copied)].toSorted(),
    )
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('runs as no root, without what only tests and laptops need', () => {
    expect(dockerfile).toMatch(/^USER 1000:1000$/m)
    expect(dockerfile).toMatch(/npm ci --omit=dev --omit=optional --ignore-scripts/)
    expect(dockerfile).toMatch(/^ENTRYPOINT \["\/app\/services\/entrypoint\.sh"\]$/m)
  })
})

/** Loads Compose files as Compose does; not every machine has it. */
const LOADER = fileURLToPath(new URL('../../../shared/tools/compose-config', import.meta.url))

const load = (profile: string, env: Readonly<Record<string, string>>) =>
  execFileSync(LOADER, ['-profile', profile, '-q', 'docker-compose.yml'], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  })

describe.skipIf(!existsSync(LOADER))('Compose takes the file', () => {
  const secrets = Object.fromEntries(
    usesOf(composeText).flatMap(({ name, operator }) =>
      operator === ':?' ? [[name, 'a-long-password']] : [],
    ),
  )
  const profiles = [...new Set(services.flatMap(([, service]) => service.profiles))]

  test.each(['', ...profiles, '*'])('with the profile "%s"', (profile) => {
    expect(() => load(profile, secrets)).not.toThrow()
  })

  test.each(Object.keys(secrets))('and refuses it without %s', (name) => {
    expect(() => load('', { ...secrets, [name]: '' })).toThrow(`variable ${name} is missing`)
  })
})
