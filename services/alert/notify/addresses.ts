import { BlockList, isIP } from 'node:net'

/**
 * IPv4 networks that are not the public internet: IANA IPv4 Special-Purpose Address Registry,
 * multicast (RFC 5771) and the reserved rest, which holds the broadcast address.
 */
const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/**
 * Of IPv6 only global unicast is public (RFC 4291, 2.4), without what the IANA IPv6 Special-Purpose
 * Address Registry takes out of it: protocols with Teredo, documentation, 6to4. Whatever carries an
 * IPv4 address (mapped, NAT64) lies outside of it, as do loopback, link-local and unique-local.
 */
const GLOBAL_UNICAST_V6 = ['2000::', 3] as const
const NOT_PUBLIC_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

/** Whether an address, as text without brackets, is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const [plain = ''] = address.split('%')
  const version = isIP(plain)
  if (version === 4) return !blockedV4.check(plain)
  if (version === 6) return globalV6.check(plain, 'ipv6') && !blockedV6.check(plain, 'ipv6')
  return false
}

const blockedV4 = blockList(NOT_PUBLIC_V4, 'ipv4')
const globalV6 = blockList([GLOBAL_UNICAST_V6], 'ipv6')
const blockedV6 = blockList(NOT_PUBLIC_V6, 'ipv6')

function blockList(
  networks: readonly (readonly [network: string, prefix: number])[],
  version: 'ipv4' | 'ipv6',
): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, version)
  return list
}
