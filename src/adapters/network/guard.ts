import { lookup as resolveName } from 'node:dns/promises';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Problem } from '../../problem.ts';

/** What may be reached beyond the public internet, by the operator's word. */
export type AddressPolicy = {
  /** CONFORME_ALLOW_ADDRESSES: networks in CIDR notation. */
  allow: readonly string[];
  /** Hosts that the operator configured (the Debian mirror, a rebuilder): reached wherever their names lead. */
  hosts: readonly string[];
};

type Address = { address: string; family: 4 | 6 };
type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Decides what may be connected to. The check is made on the resolved address, and the connection goes to that very
 * address, so that a name that changes its mind between check and use (DNS rebinding) gains nothing.
 */
export type Guard = {
  allows(address: string): boolean;
  /** The addresses of a host (a name or a literal) that may be connected to. Throws `address-refused` where there is none. */
  resolve(host: string): Promise<[Address, ...Address[]]>;
  /** {@link resolve} in the form that `net.connect` takes. It is not called for a literal: see `connectGuarded`. */
  lookup(host: string, options: LookupOptions, callback: LookupCallback): void;
};

// All of IPv6 that is given out to the world; ::/96, site-local and the like are outside (RFC 4291, section 2.4).
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

const ANSWER_MS = 30_000;
const ANSWERS_MAX = 10_000;

/** Names compare without case and without the final dot of the root; an IPv6 literal in a URL has brackets. */
export function bareHost(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '');
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
}

export function makeGuard(policy: AddressPolicy): Guard {
  const networks = policy.allow.map(parseNetwork);
  const exempt = new Set(policy.hosts.map(bareHost));

  const allows = (address: string): boolean => {
    // `process` unwraps IPv4-mapped IPv6: ::ffff:127.0.0.1 is 127.0.0.1.
    const ip = ipaddr.process(address.replace(/%.*$/, ''));
    if (networks.some(([network, bits]) => network.kind() === ip.kind() && ip.match(network, bits))) return true;
    return ip.range() === 'unicast' && (ip.kind() === 'ipv4' || ip.match(GLOBAL_IPV6));
  };

  // A build asks for the same host a hundred times within seconds, and a resolver may drop some of so many questions.
  const answers = new Map<string, { found: Promise<LookupAddress[]>; until: number }>();
  const lookUp = (name: string): Promise<LookupAddress[]> => {
    const known = answers.get(name);
    if (known !== undefined && known.until > performance.now()) return known.found;
    if (answers.size >= ANSWERS_MAX) answers.clear();
    const found = resolveName(name, { all: true, verbatim: false });
    answers.set(name, { found, until: performance.now() + ANSWER_MS });
    found.catch(() => answers.delete(name));
    return found;
  };

  const resolve = async (host: string): Promise<[Address, ...Address[]]> => {
    const name = bareHost(host);
    const found = isIP(name) === 0 ? await lookUp(name) : [{ address: name, family: isIP(name) }];
    const [first, ...others] = found.filter(({ address }) => exempt.has(name) || allows(address)) as Address[];
    if (first === undefined) throw new Problem('address-refused', `${name} is at a private, local or otherwise refused address`);
    return [first, ...others];
  };

  const lookup = (host: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(host).then(
      (addresses) => (options.all ? callback(null, addresses) : callback(null, addresses[0].address, addresses[0].family)),
      (error: unknown) => callback(error as NodeJS.ErrnoException, '', 0),
    );
  };
  return { allows, resolve, lookup };
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const ip = ipaddr.process(text);
    return [ip, ip.kind() === 'ipv4' ? 32 : 128];
  } catch (cause) {
    throw new Problem('invalid-configuration', `"${text}" is no network in CIDR notation`, { cause });
  }
}
