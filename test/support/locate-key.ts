/** Debian's gpg, which looks a key up by its mail address: by itself, over TLS, in namespaces where its host is loopback. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forward } from './http.ts';

const run = promisify(execFile);

export type Locator = {
  /** What gpg lists of the key that it found; rejects where it finds none. */
  locate(email: string): Promise<string>;
  /** What it asked the service for: path and query. */
  asked: string[];
  stop(): Promise<void>;
};

/** One authority alone is trusted there, and port 443 is free. No agent is started: that waits for seconds. */
const NAMESPACE = `
folder=$1 node=$2 host=$3 email=$4
ip link set lo up
echo "127.0.0.1 localhost $host" > "$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts
echo 'nameserver 127.0.0.1' > "$folder/resolv"
mount --bind "$folder/resolv" /etc/resolv.conf
mount --bind "$folder/certificate.pem" /etc/ssl/certs/ca-certificates.crt
"$node" "$folder/servers.mjs" "$folder" > "$folder/log" 2>&1 &
until [ -s "$folder/log" ]; do sleep 0.02; done
dirmngr --homedir "$folder/home" --standard-resolver --daemon > /dev/null
gpg --homedir "$folder/home" --no-autostart --batch --with-colons --auto-key-locate clear,nodefault,wkd --locate-external-keys "$email"`;

/** A server of names, and one that ends TLS and hands requests on through a socket, which a network namespace does not shut out. */
const SERVERS = `
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
const folder = process.argv[2];
const read = (name) => readFileSync(folder + '/' + name);
// What is not in /etc/hosts does not exist. RFC 1035, section 4.1.1: QR, RCODE 3.
const names = createSocket('udp4').on('message', (query, { port, address }) => {
  query[2] |= 0x80;
  query[3] = (query[3] & 0xf0) | 3;
  names.send(query, port, address);
});
createServer({ key: read('key.pem'), cert: read('certificate.pem') }, (incoming, response) => {
  const { url: path, method, headers } = incoming;
  request({ socketPath: folder + '/socket', path, method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }).end();
}).listen(443, '127.0.0.1', () => names.bind(53, '127.0.0.1', () => console.log('ready')));
`;

/** `service`, a host and a port, answers as `host` over TLS, and no other host exists. */
export async function makeLocator(service: string, host: string): Promise<Locator> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-wkd-'));
  const asked: string[] = [];
  const socket = createServer((incoming, response) => {
    asked.push(incoming.url ?? '');
    forward(service, incoming, response);
  }).listen(join(folder, 'socket'));
  await once(socket, 'listening');
  await writeFile(join(folder, 'servers.mjs'), SERVERS);
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=DNS:${host}`];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    ...subject,
    ...files,
  ]);
  return {
    asked,
    async locate(email) {
      asked.length = 0;
      for (const left of ['home', 'log']) await rm(join(folder, left), { recursive: true, force: true });
      await mkdir(join(folder, 'home'), { mode: 0o700 });
      const namespaces = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
      const given = [folder, process.execPath, host, email];
      return (await run('unshare', [...namespaces, 'bash', '-euc', NAMESPACE, 'locate', ...given])).stdout;
    },
    async stop() {
      socket.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
