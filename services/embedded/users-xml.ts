import { clickhouseXml, namedElement, textElement } from './xml.ts'

/** A user of ClickHouse. Everything about it stands in the users file: SQL cannot add users here. */
export interface ClickHouseUser {
  readonly name: string
  /** SHA-256 of the password, in hex. */
  readonly passwordSha256: string
  /** Networks the user may come from, such as `::/0`. */
  readonly networks: readonly string[]
  /** Name of the profile that its queries run under. */
  readonly profile: string
  /** GRANT statements, one at least: a user that had none might do everything. */
  readonly grants: readonly string[]
  /** Rows that the user sees of a table. */
  readonly filters: readonly RowFilter[]
}
export interface RowFilter {
  readonly database: string
  readonly table: string
  /** An SQL condition. */
  readonly condition: string
}

/** Settings that queries start with, and how far a user may change them. */
export interface SettingsProfile {
  readonly name: string
  readonly settings: readonly ProfileSetting[]
}
export interface ProfileSetting {
  readonly name: string
  readonly value: number
  /** Bounds for whoever changes it; with neither it may be changed at will. */
  readonly min?: number
  readonly max?: number
  /** True: it stays as it is. */
  readonly fixed?: boolean
}

export interface UsersFile {
  readonly users: readonly ClickHouseUser[]
  readonly profiles: readonly SettingsProfile[]
  /** Whether there is a user `default` with all rights and no password, who comes from loopback only. */
  readonly localAdmin: boolean
}

/** The profile of users without limits; the server wants one of this name. */
export const UNLIMITED_PROFILE = 'default'

const LOCAL_ADMIN =
  '<default><password></password><networks><ip>127.0.0.1</ip><ip>::1</ip></networks>' +
  `<profile>${UNLIMITED_PROFILE}</profile><quota>default</quota></default>`

/** users.xml, whole: profiles, the one quota, and users with their grants and row filters. */
export function usersXml({ users, profiles, localAdmin }: UsersFile): string {
  return clickhouseXml([
    '<profiles>',
    namedElement(UNLIMITED_PROFILE, ''),
    ...profiles.map(profile),
    '</profiles>',
    '<quotas><default></default></quotas>',
    '<users>',
    ...(localAdmin ? [LOCAL_ADMIN] : []),
    ...users.map(user),
    '</users>',
  ])
}

function profile({ name, settings }: SettingsProfile): string {
  const values = settings.map((setting) => textElement(setting.name, setting.value))
  const bounds = settings.map((setting) => {
    const inside = [
      setting.min === undefined ? '' : textElement('min', setting.min),
      setting.max === undefined ? '' : textElement('max', setting.max),
      setting.fixed === true ? '<const></const>' : '',
    ].join('')
    return inside === '' ? '' : namedElement(setting.name, inside)
  })
  return namedElement(name, `${values.join('')}<constraints>${bounds.join('')}</constraints>`)
}

function user(given: ClickHouseUser): string {
  const { name, passwordSha256, networks, grants } = given
  if (grants.length === 0)
    throw new Error(`the user ${name} has no grants, and might do everything`)
  const from = networks.map((network) => textElement('ip', network)).join('')
  return namedElement(
    name,
    [
      textElement('password_sha256_hex', passwordSha256),
      `<networks>${from}</networks>`,
      textElement('profile', given.profile),
      textElement('quota', 'default'),
      `<grants>${grants.map((statement) => textElement('query', statement)).join('')}</grants>`,
      filters(given.filters),
    ].join(''),
  )
}

function filters(rows: readonly RowFilter[]): string {
  if (rows.length === 0) return ''
  const byDatabase = Map.groupBy(rows, (row) => row.database)
  const databases = [...byDatabase].map(([database, tables]) => {
    const inside = tables.map(({ table, condition }) =>
      namedElement(table, textElement('filter', condition)),
    )
    return namedElement(database, inside.join(''))
  })
  return `<databases>${databases.join('')}</databases>`
}
