import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const DEFAULT_SERVER = 'http://127.0.0.1:8080';
const LOCAL = /^(localhost|\[::1\]|127(\.\d+){3})$/;

/** Which service the command line speaks to, and with which token. Throws a TypeError for what is no http(s) address. */
export function serviceOf(
  options: { server?: string | undefined; token?: string | undefined },
  environment: Record<string, string | undefined>,
): { server: string; token: string | undefined } {
  const set = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  const server = options.server ?? set('CONFORME_SERVER') ?? DEFAULT_SERVER;
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new TypeError(`${server} is no http or https address`);
  const own = LOCAL.test(url.hostname) ? localToken(set('CONFORME_DATA_DIR')) : undefined;
  return { server, token: options.token ?? set('CONFORME_TOKEN') ?? own };
}

/** A service on this machine keeps its token where only its user can read it. It is never sent to another machine. */
function localToken(folder = join(homedir(), '.local/share/conforme')): string | undefined {
  try {
    return readFileSync(join(folder, 'token'), 'utf8').trim();
  } catch {
    return undefined;
  }
}
