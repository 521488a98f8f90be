import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of a certificate and its key, and what stands in them, in PEM. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}

/** An authority of one's own, which trusts nobody else. */
export interface Authority {
  readonly caFile: string
  readonly ca: string
  /** Signs a certificate for 127.0.0.1, localhost and, as a client, this name. */
  issue(name: string): Certificate
}

const DAYS = '2'

/** Makes an authority in a folder; every file that belongs to it stays there. Needs the tool openssl. */
export function createAuthority(folder: string, name = 'authority'): Authority {
  const file = (suffix: string) => join(folder, `${name}${suffix}`)
  openssl(
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ['-days', DAYS, '-subj', `/CN=${name}`, '-keyout', file('.key'), '-out', file('.pem')],
  )
  return {
    caFile: file('.pem'),
    ca: readFileSync(file('.pem'), 'utf8'),
    issue(subject) {
      const own = (suffix: string) => join(folder, `${name}-${subject}${suffix}`)
      writeFileSync(
        own('.ext'),
        'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
      )
      openssl(
        ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ['-subj', `/CN=${subject}`, '-keyout', own('.key'), '-out', own('.csr')],
      )
      openssl(
        ['x509', '-req', '-in', own('.csr'), '-CA', file('.pem'), '-CAkey', file('.key')],
        ['-CAcreateserial', '-days', DAYS, '-extfile', own('.ext'), '-out', own('.pem')],
      )
      return {
        certFile: own('.pem'),
        keyFile: own('.key'),
        cert: readFileSync(own('.pem'), 'utf8'),
        key: readFileSync(own('.key'), 'utf8'),
      }
    },
  }
}

function openssl(...parts: readonly (readonly string[])[]): void {
  execFileSync('openssl', parts.flat(), { stdio: ['ignore', 'ignore', 'pipe'] })
}
