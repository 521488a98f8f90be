import { expect, test } from 'vitest'
import { KAFKA_ROLES, kafkaAcls } from '../../../services/cli/access/kafka-acls.ts'
import { readers } from '#schemas/readers.ts'
import { topics } from '#schemas/topics.ts'

const text = (prefix = '') =>
  kafkaAcls(prefix).map(
    ({ role, operation, resource, name, pattern }) =>
      `${role} ${operation} ${resource} ${name}${pattern === 'prefixed' ? '*' : ''}`,
  )

test('enrich reads spans, and writes what it makes of them', () => {
  expect(text().filter((line) => line.startsWith('enrich '))).toEqual([
    'enrich Read topic spans',
    'enrich Read group enrich',
    'enrich Write topic spans.enriched',
    'enrich Write topic evaluations',
    'enrich Write topic dead-letters',
  ])
})

test('a producer may do nothing but write to otlp_spans', () => {
  expect(text().filter((line) => line.startsWith('producer '))).toEqual([
    'producer Write topic otlp_spans',
  ])
})

test('nothing is granted twice', () => {
  expect(new Set(text()).size).toBe(text().length)
})

test('each group has a worker that reads by it, and each topic one that writes to it', () => {
  for (const { group, topic } of Object.values(readers)) {
    const role = text()
      .find((line) => line.endsWith(` Read group ${group}`))
      ?.split(' ')[0]
    expect(text()).toContain(`${role} Read topic ${topic}`)
  }
  const written = new Set(
    kafkaAcls('')
      .filter(({ operation, role }) => operation === 'Write' && role !== 'operator')
      .map(({ name }) => name),
  )
  // Corrections are made, and dead letters sent again, by commands, as operator.
  expect(topics.map(({ name }) => name).filter((name) => !written.has(name))).toEqual([
    'dead-letters.sends',
    'dead-letters.sent',
    'price-corrections',
  ])
})

test('names carry the prefix that two stacks on one cluster tell apart by', () => {
  const names = kafkaAcls('eu-1.').filter(({ resource }) => resource !== 'cluster')
  expect(names.every(({ name }) => name.startsWith('eu-1.'))).toBe(true)
  expect(text('eu-1.')).toContain('operator All group eu-1.*')
})

test('every role has rights', () => {
  expect(new Set(kafkaAcls('').map(({ role }) => role))).toEqual(new Set(KAFKA_ROLES))
})
