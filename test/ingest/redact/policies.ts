import { hashValue, redactText } from '../../../services/ingest/redact/text-redactor.ts'
import { compilePolicies } from '../../../services/ingest/redact/policy-file.ts'
import type { Policies } from '../../../services/ingest/redact/policy.ts'

export const KEY = '0123456789abcdef0123456789abcdef'

const compiled = new Map<string, Policies>()

/** The policies of a file with this text, compiled once. */
export function policiesOf(text: string): Policies {
  const known = compiled.get(text)
  if (known !== undefined) return known
  const options = { key: KEY, userKeys: ['user.id', 'enduser.id'] }
  const policies = compilePolicies(text, 'redaction.yaml', options)
  compiled.set(text, policies)
  return policies
}

/** What a text becomes by the default policy of a file. */
export function redact(text: string, file = ''): string {
  const policies = policiesOf(file)
  const policy = policies.policyOf('acme')
  if (policy === undefined) return text
  const bytes = Buffer.from(text)
  const scope = { policy, tenant: 'acme', key: policies.key }
  return redactText(scope, text, policy.scan(bytes, 0, bytes.length))
}

/** The hash of a value of tenant acme. */
export function hashOf(value: string, tenant = 'acme'): string {
  const policies = policiesOf('')
  const policy = policies.policyOf(tenant)
  if (policy === undefined) throw new Error('there is a default policy')
  return hashValue({ policy, tenant, key: policies.key }, value)
}
