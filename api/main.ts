/**
 * The composition of the service. With nothing configured it starts everything: a private redis-server and the rebuild worker as
 * children, the embedded database and all other roles in this process. With REDIS_URL, DATABASE_URL and CONFORME_ROLES it plays
 * what it is asked to, beside others like it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { makeFetch } from '../src/adapters/network/fetch.ts';
import { makeGuard } from '../src/adapters/network/guard.ts';
import { makeIdentify } from '../src/adapters/oidc/oidc.ts';
import { makeWatch } from '../src/adapters/queue/progress.ts';
import { makeQueue } from '../src/adapters/queue/queue.ts';
import { privateRedis } from '../src/adapters/queue/redis-server.ts';
import { readOrMake } from '../src/adapters/openpgp/secret-file.ts';
import { childEnvironment, type Config, parseConfig, type Role, unknownVariables } from '../src/config.ts';
import type { Identify } from '../src/model/identity.ts';
import { RULES_VERSION } from '../src/model/policy.ts';
import type { Records } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';
import { together, untilStopped } from '../workers/lifetime.ts';
import {
  type Common,
  makeLogger,
  makeOnError,
  openCommon,
  openDatabase,
  openGit,
  openRegistry,
  openSigners,
  startConclude,
  startDeliver,
  startEvidence,
} from '../workers/main.ts';
import type { Running } from '../workers/running.ts';
import { supervise } from '../workers/supervise.ts';
import { buildApp } from './app.ts';
import type { Deps } from './deps.ts';

/** Longer than Redis, database or blob store ever take when they are there. */
const PATIENCE_MILLISECONDS = 5_000;
/** What is being answered when the process stops gets this long; a watcher's stream never ends by itself. */
const DRAIN_MILLISECONDS = 1_500;

type SignerDeps = Pick<Deps, 'signer' | 'envelopeSigner'>;

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = makeLogger(config);
  const unknown = unknownVariables(process.env);
  if (unknown.length > 0) log.warn({ unknown }, 'no such settings');
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const plays = (role: Role): boolean => config.roles.includes(role);
  const started: Running[] = [];
  untilStopped(started, log, { child: false });

  const database = plays('api') || plays('conclude') || plays('deliver') ? await openDatabase(config, log) : undefined;
  if (database !== undefined) started.push(database);
  const address = config.redisUrl ?? (await startRedis(config, log, started));
  const common = await openCommon(config, address, log);
  started.push(common);

  const roles: Running[] = [];
  started.push(together(roles));
  if (plays('evidence')) roles.push(await startEvidence(common));
  if (plays('rebuild')) roles.push(supervise('rebuild', () => spawnRebuild(config, address), log));
  if (database !== undefined) {
    const { records, keys } = database;
    let published: SignerDeps = keys;
    if (plays('conclude')) {
      const signers = await openSigners(config);
      await keys.publish(signers.signer, signers.envelopeSigner);
      published = signers;
      roles.push(await startConclude(common, records, signers));
    }
    if (plays('deliver')) roles.push(await startDeliver(common, records));
    if (plays('api')) roles.push(await startApi(common, records, published));
  }
  log.info({ url: config.publicUrl }, 'ready');
}

async function startRedis(config: Config, log: Logger, started: Running[]): Promise<string> {
  const redis = await privateRedis(join(config.dataDir, 'redis'));
  started.push(supervise('redis-server', redis.spawn, log));
  await redis.ready();
  return redis.address;
}

/** The rebuild worker in a process of its own, with neither key nor token nor database in its environment. */
function spawnRebuild(config: Config, address: string): ChildProcess {
  const environment = {
    ...childEnvironment(process.env),
    CONFORME_ROLES: 'rebuild',
    CONFORME_DATA_DIR: config.dataDir,
    REDIS_URL: address,
  };
  const worker = join(import.meta.dirname, '../workers/main.ts');
  // Its standard input ends with this process, however that ends. Detached, so that Ctrl-C reaches it through us.
  return spawn(process.execPath, [worker, '--child'], { env: environment, detached: true, stdio: ['pipe', 'inherit', 'inherit'] });
}

async function startApi(common: Common, records: Records, { signer, envelopeSigner }: SignerDeps): Promise<Running> {
  const { config, log, address, blobs } = common;
  const onError = makeOnError(log);
  const queue = makeQueue(address, onError);
  const { watch, close } = makeWatch(address, onError);
  const app = await buildApp({
    publicUrl: config.publicUrl,
    token: await apiToken(config),
    identify: identifyBy(config),
    rules: RULES_VERSION,
    contextBytesMax: config.contextBytes,
    requestsPerMinute: config.rateLimit,
    trustedProxies: config.trustedProxies,
    registry: await openRegistry(common),
    git: await openGit(common),
    blobs,
    records,
    queue,
    watch,
    signer,
    envelopeSigner,
    logger: log,
    newId: randomUUID,
    now: () => new Date(),
    patience: PATIENCE_MILLISECONDS,
  });
  await app.listen({ host: config.host, port: config.port });
  return {
    async close() {
      const closed = app.close();
      await Promise.race([closed, sleep(DRAIN_MILLISECONDS, undefined, { ref: false })]);
      app.server.closeAllConnections();
      await closed;
      close();
      await queue.close();
    },
  };
}

/** Issuers are the operator's word, and reached wherever their names lead; where their keys lie is theirs, and guarded. */
function identifyBy({ oidc, publicUrl, allowAddresses }: Config): Identify | undefined {
  if (oidc.length === 0) return undefined;
  const hosts = oidc.map(({ issuer }) => new URL(issuer).hostname);
  return makeIdentify({ issuers: oidc, audience: publicUrl, fetch: makeFetch(makeGuard({ allow: allowAddresses, hosts })) });
}

/** Undefined where nobody needs one. The first one is shown once, on the terminal of whoever starts the service; never in the log. */
async function apiToken(config: Config): Promise<string | undefined> {
  if (config.open) return undefined;
  if (config.token !== undefined) return config.token;
  const { text, path, made } = await readOrMake(config.dataDir, 'token', async () => `${randomBytes(24).toString('base64url')}\n`);
  process.stderr.write(made ? `The API token is ${text.trim()}; it stands in ${path}\n` : `The API token stands in ${path}\n`);
  return text.trim();
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${thrown instanceof Problem ? `${thrown.code}: ${thrown.message}` : String(thrown)}\n`);
  process.exit(1);
});
