/** What stands in the request line of a request to a proxy. RFC 9112, section 3.2. */
export type Target = {
  url: URL;
  /** Path and query exactly as they were sent: a server may tell spellings apart that the URL class does not. */
  path: string;
  /** The URL as it is written down: without credentials and fragment. */
  record: string;
};

// RFC 9110, section 7.6.1, and what proxies of old sent.
const HOP_BY_HOP = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

// Mail is sent through these; nothing a build fetches comes from there.
const MAIL_PORTS = new Set([25, 465, 587]);

/** The absolute form, `http://host/path`; undefined for every other form. */
export function parseTarget(text: string): Target | undefined {
  if (!/^http:\/\/[^/?#]+/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (MAIL_PORTS.has(Number(url.port))) return undefined;
  const rest = text.replace(/^http:\/\/[^/?#]+/i, '').replace(/#.*$/, '');
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return { url, path, record: `http://${url.host}${path}` };
}

/** The authority form of CONNECT, `host:port`. */
export function parseAuthority(text: string): { host: string; port: number } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(\d{1,5})$/i.exec(text);
  const [, host, digits] = match ?? [];
  const port = Number(digits);
  if (host === undefined || port === 0 || port > 65_535 || MAIL_PORTS.has(port)) return undefined;
  return { host, port };
}

/** Raw headers (name, value, name, value …) without those that are meant for one connection only. */
export function forwardedHeaders(raw: readonly string[]): string[] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  const named = pairs.filter(([name]) => name.toLowerCase() === 'connection').flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/));
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}
