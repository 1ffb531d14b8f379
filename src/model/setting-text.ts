/** How the values of settings are written. Each parser throws an Error that says what is wrong, for behind the name of the setting. */
import type { Forge } from './forge.ts';
import { partyOf, type Rebuilder } from './rebuilders.ts';

export function hostName(text: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text)) throw new Error('is no host name or address');
  return text;
}

export function hostAndPort(text: string): string {
  if (!/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(text)) throw new Error(`"${text}" is no host or host:port`);
  return text;
}

export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new Error(`is no whole number from ${least} to ${most}`);
    return value;
  };
}

/** `4G`, `512M`, `65536`: powers of 1024. */
export function bytes(text: string): number {
  const match = /^(\d{1,12})([KMGT]?)$/.exec(text);
  if (match === null) throw new Error('is no size such as 512M or 4G');
  const value = Number(match[1]) * 1024 ** ' KMGT'.indexOf(match[2] === '' ? ' ' : (match[2] ?? ' '));
  if (value < 1 || !Number.isSafeInteger(value)) throw new Error('is out of range');
  return value;
}

export function url(protocols: string[]): (text: string) => string {
  return (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol))
      throw new Error(`is no address that begins with ${protocols.join(' or ')}`);
    return text;
  };
}

export function list<T>(parse: (text: string) => T): (text: string) => readonly T[] {
  return (text) =>
    Object.freeze(
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map(parse),
    );
}

export function mirrors(text: string): ReadonlyMap<string, string> {
  const pairs = list((part) => {
    const [registry, mirror, ...rest] = part.split('=');
    if (registry === undefined || mirror === undefined || rest.length > 0) throw new Error(`"${part}" is not registry=host:port`);
    return [hostAndPort(registry), hostAndPort(mirror)] as const;
  })(text);
  return new Map(pairs);
}

export function mirrorAddresses(text: string): string {
  const addresses = list(url(['http:', 'https:']))(text);
  if (addresses.length < 1 || addresses.length > 2) throw new Error('is not one address or two with a comma between');
  return text;
}

export function cidr(text: string): string {
  const [address = '', bits, ...rest] = text.split('/');
  const width = /^\d+\.\d+\.\d+\.\d+$/.test(address) ? 32 : /^[0-9a-fA-F:.]+$/.test(address) && address.includes(':') ? 128 : 0;
  if (width === 0 || rest.length > 0 || bits === undefined || !/^\d{1,3}$/.test(bits) || Number(bits) > width)
    throw new Error(`"${text}" is no network such as 127.0.0.0/8 or fd00::/8`);
  return text;
}

export function forge(text: string): Forge {
  const [kind, host = '', api = '', tokenFile = '', ...rest] = text.split(/\s+/);
  if ((kind !== 'github' && kind !== 'gitlab') || rest.length > 0 || !tokenFile.startsWith('/'))
    throw new Error(`"${text}" is not github or gitlab, a host, an address and the path of a file`);
  return { kind, host: hostAndPort(host), api: url(['https:', 'http:'])(api).replace(/\/+$/, ''), tokenFile };
}

/** Words, told by how they begin: an id, addresses, the path of a keyring, suffixes of suites. */
export function derivative(text: string): { id: string; addresses: string[]; keyring: string; suffixes: string[] } {
  const [id = '', ...words] = text.split(/\s+/);
  const addresses = words.filter((word) => /^https?:/.test(word)).map((word) => url(['http:', 'https:'])(word).replace(/\/+$/, ''));
  const [keyring, ...more] = words.filter((word) => word.startsWith('/'));
  const suffixes = words.filter((word) => /^-[a-z0-9-]{1,30}$/.test(word));
  const isRead = addresses.length + suffixes.length + (keyring === undefined ? 0 : 1) === words.length;
  if (!/^[a-z][a-z0-9._-]{0,63}$/.test(id) || id === 'debian' || addresses.length === 0 || more.length > 0 || !isRead)
    throw new Error(`"${text}" is not an id, addresses, the path of a keyring and suffixes such as -updates`);
  return {
    id,
    addresses,
    keyring: keyring ?? `/usr/share/keyrings/${id}-archive-keyring.gpg`,
    suffixes: suffixes.length === 0 ? ['-updates', '-security'] : suffixes,
  };
}

/** One instance with each address, in the order they are named. */
export function rebuilders(text: string): readonly Rebuilder[] {
  const keysOf = new Map<string, string[]>();
  for (const [address, key] of list(rebuilder)(text)) keysOf.set(address, [...(keysOf.get(address) ?? []), key]);
  const named = [...keysOf].map(([address, keys]) => Object.freeze({ url: address, keys: Object.freeze(keys) }));
  const holders = new Map<string, string>();
  for (const one of named)
    for (const key of one.keys) {
      // Two hosts with one key are one party, whatever they are called.
      if ((holders.get(key) ?? partyOf(one)) !== partyOf(one)) throw new Error(`the key ${key} stands for two hosts`);
      holders.set(key, partyOf(one));
    }
  return Object.freeze(named);
}

function rebuilder(text: string): [address: string, key: string] {
  const separator = text.search(/=(?=[A-Za-z0-9+/]{43}=?$)/);
  if (separator < 0) throw new Error(`"${text}" is not https://host=key with an Ed25519 key in base64`);
  const { origin, pathname, username, password, search, hash } = new URL(url(['http:', 'https:'])(text.slice(0, separator)));
  // The address stands in every statement.
  if (`${username}${password}${search}${hash}` !== '') throw new Error('an address holds more than a host and a path');
  const key = Buffer.from(text.slice(separator + 1), 'base64').toString('base64');
  return [`${origin}${pathname.replace(/\/+$/, '')}`, key];
}

export function oneOf<const T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw new Error(`"${text}" is none of ${allowed.join(', ')}`);
    return found;
  };
}

export function flag(text: string): boolean {
  if (text !== '0' && text !== '1') throw new Error('is neither 0 nor 1');
  return text === '1';
}

export function atLeast(length: number): (text: string) => string {
  return (text) => {
    if (text.length < length || !/^[\x21-\x7e]+$/.test(text)) throw new Error(`needs ${length} or more printable characters`);
    return text;
  };
}

/** Each is a signature in the headers of every delivery. */
const SECRETS_MAX = 4;

/** One, or several with commas or white space between. */
export function webhookSecrets(text: string): readonly string[] {
  const secrets = list(webhookSecret)(text.trim().replaceAll(/\s+/g, ','));
  if (secrets.length < 1 || secrets.length > SECRETS_MAX) throw new Error(`is not one secret or up to ${SECRETS_MAX}`);
  return secrets;
}

/** Standard Webhooks 1.0.0, "Symmetric": 24 to 64 bytes, base64, with the prefix `whsec_`. */
function webhookSecret(text: string): string {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  const length = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length;
  if (length < 24 || length > 64) throw new Error('is not whsec_ and 24 to 64 bytes in base64');
  return text;
}

/** A registry, or a repository with all below it, by its name as normalised. */
export function repositories(text: string): string {
  const [host = '', ...path] = text.split('/');
  if (!/[.:]|^localhost$/.test(host) || !path.every((part) => /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/.test(part)))
    throw new Error(`"${text}" is no registry or repository`);
  return [hostAndPort(host), ...path].join('/');
}

export function mailAddress(text: string): string {
  // What WKD and OpenPGP user ids can hold without quotes.
  if (!/^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(text) || text.length > 254) throw new Error('is no mail address');
  return text;
}

export function instanceName(text: string): string {
  // It stands in an OpenPGP user id, where angle brackets and control characters have a meaning of their own.
  if (!/^[A-Za-z0-9._ -]{1,100}$/.test(text)) throw new Error('may hold letters, digits, dots, dashes, underscores and blanks');
  return text;
}
