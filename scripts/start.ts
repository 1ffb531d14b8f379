import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readKey } from 'openpgp';
import { CONFIG_HELP, parseConfig, type Config } from '../src/config.ts';
import { Problem } from '../src/problem.ts';
import { runDemo } from './demo/main.ts';

const HELP = `Starts conforme: API, workers, database and queue in one go.

  scripts/start [--port PORT]
  scripts/start --demo [--once] [--port PORT]

  --port PORT   where the API listens; the same as CONFORME_PORT
  --demo        also starts a registry and a git server on loopback, publishes five images, honest and not, and has them judged;
                with a data folder of its own beside the usual one, and without a token
  --once        ends after the demo: exit code 0 where every verdict is the expected one
  --help        this

Settings, from the environment:

${CONFIG_HELP}
`;

async function main(): Promise<number | undefined> {
  const { values } = parseArgs({
    options: { demo: { type: 'boolean' }, once: { type: 'boolean' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.once === true && values.demo !== true) throw new Problem('invalid-configuration', '--once: only with --demo');
  if (values.port !== undefined) process.env['CONFORME_PORT'] = values.port;
  const config = parseConfig(process.env);
  if (values.demo === true) return runDemo(config, { once: values.once === true });
  await import('../api/main.ts');
  if (config.roles.includes('api')) await introduce(config);
  return undefined;
}

/** Where everything is, once it is there. The service prints the token itself. */
async function introduce({ host, port, publicUrl, dataDir }: Config): Promise<void> {
  const base = `http://${host.includes(':') ? `[${host}]` : host.replace(/^0\.0\.0\.0$/, '127.0.0.1')}:${port}`;
  for (;;) {
    const ready = await fetch(`${base}/readyz`).catch(() => undefined);
    if (ready?.ok === true) break;
    await sleep(200, undefined, { ref: false });
  }
  const armored = await (await fetch(`${base}/v1/keys`)).text();
  const key = await readKey({ armoredKey: armored });
  const envelopeKey = (await fetch(`${base}/v1/keys/cosign.pub`)).headers.get('etag')?.replaceAll('"', '') ?? '';
  process.stderr.write(
    [
      `conforme is ready.`,
      `  address      ${publicUrl}`,
      `  signing key  ${key.getFingerprint().toUpperCase()}  (${publicUrl}/v1/keys)`,
      `  for cosign   ${envelopeKey}  (${publicUrl}/v1/keys/cosign.pub)`,
      `  data folder  ${dataDir}`,
      '',
    ].join('\n'),
  );
}

try {
  const code = await main();
  if (code !== undefined) process.exitCode = code;
} catch (thrown) {
  const isUsage = thrown instanceof Problem || (thrown as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true;
  process.stderr.write(isUsage ? `${(thrown as Error).message}\n` : `${String((thrown as Error).stack ?? thrown)}\n`);
  process.exitCode = 3;
}
