/** A sample of a page of metrics: its name, its labels without the empty ones, and the text of its value. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: string
}

/** A metric of a page: what is said of it, and its samples in order. */
export interface PageFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly Sample[]
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/gy
const VALUE = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/i
const ESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\"': '"' }

/**
 * Reads a page in Prometheus' text-based format, version 0.0.4. Throws for what is not of it: lines
 * out of place, samples that are there twice, histograms whose buckets do not rise.
 */
export function parseExposition(page: string): readonly PageFamily[] {
  if (!page.endsWith('\n')) throw new Error('the last line does not end')
  const families: { name: string; help: string; type: string; samples: Sample[] }[] = []
  const seen = new Set<string>()
  for (const line of page.split('\n').filter((text) => text !== '')) {
    const [mark, keyword, name = '', ...rest] = line.split(' ')
    const family = families.at(-1)
    if (mark === '#' && keyword === 'HELP') {
      once(seen, `metric ${name}`)
      families.push({ name, help: rest.join(' '), type: '', samples: [] })
    } else if (mark === '#' && keyword === 'TYPE' && family?.name === name) {
      family.type = rest.join(' ')
    } else {
      const sample = parseSample(line)
      if (family === undefined || !belongs(sample.name, family)) throw new Error(`stray: ${line}`)
      once(seen, sampleKey(sample))
      family.samples.push(sample)
    }
  }
  for (const family of families.filter(({ type }) => type === 'histogram')) checkHistogram(family)
  return families
}

/** One text for a name and its labels, in whichever order they stand. */
export function sampleKey({ name, labels }: Pick<Sample, 'name' | 'labels'>): string {
  const entries = Object.entries(labels).filter(([, value]) => value !== '')
  return `${name} ${JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
}

function parseSample(line: string): Sample {
  const [, name = '', text = '', value = ''] = SAMPLE.exec(line) ?? []
  if (name === '' || !VALUE.test(value)) throw new Error(`no sample: ${line}`)
  const pairs = [...text.matchAll(LABEL)]
  if (pairs.map(([pair]) => pair).join('') !== text) throw new Error(`wrong labels: ${line}`)
  const labels = pairs.map(([, label = '', raw = '']) => [
    label,
    raw.replaceAll(/\\["\\n]/g, (escaped) => ESCAPED[escaped] ?? escaped),
  ])
  if (new Set(labels.map(([label]) => label)).size < labels.length) {
    throw new Error(`a label twice: ${line}`)
  }
  return { name, value, labels: Object.fromEntries(labels) }
}

const belongs = (name: string, family: { name: string; type: string }) =>
  family.type === 'histogram'
    ? ['_bucket', '_sum', '_count'].some((suffix) => name === family.name + suffix)
    : name === family.name

function once(seen: Set<string>, what: string): void {
  if (seen.has(what)) throw new Error(`twice: ${what}`)
  seen.add(what)
}

/** Buckets rise to that of +Inf, which is the count. */
function checkHistogram({ name, samples }: PageFamily): void {
  const seriesOf = ({ labels: { le: _le, ...labels } }: Sample) => sampleKey({ name, labels })
  for (const [series, all] of Map.groupBy(samples, seriesOf)) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => Number(value))
    const count = all.find((sample) => sample.name === `${name}_count`)?.value
    const isRising = bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? bound))
    const isGrowing = counts.every((each, i) => i === 0 || each >= (counts[i - 1] ?? each))
    if (!isRising || !isGrowing || bounds.at(-1) !== Infinity || String(counts.at(-1)) !== count) {
      throw new Error(`no histogram: ${series}`)
    }
  }
}
