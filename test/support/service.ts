/** The HTTP interface over real parts: PGlite, redis-server, blobs in a folder, an OpenPGP key, and a registry on loopback. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { type App, buildApp } from '../../api/app.ts';
import type { Deps } from '../../api/deps.ts';
import { openBlobs } from '../../src/adapters/blobs/open.ts';
import { type OpenRecords, openPglite } from '../../src/adapters/database/open.ts';
import { makeEnvelopeKey, makeEnvelopeSigner } from '../../src/adapters/dsse/signer.ts';
import { makeSigner } from '../../src/adapters/openpgp/signer.ts';
import { makeLoopbackGit } from './git.ts';
import { makeProgress, makeWatch } from '../../src/adapters/queue/progress.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import { makeRegistry } from '../../src/adapters/registry/registry.ts';
import type { Verification } from '../../src/model/verification.ts';
import type { Progress, Signer, TellEnd } from '../../src/ports.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { sampleJob, sampleRecord, type SampleSigners } from './sample.ts';
import type { SampleKind } from './sample-verdict.ts';

export type TestService = {
  app: App;
  url: string;
  deps: Deps;
  /** Of the folder with the blobs. */
  blobsUrl: string;
  redis: TestRedis;
  database: OpenRecords;
  progress: Progress & { end: TellEnd; flush(): Promise<void> };
  /** What verdicts are signed with. */
  signers: SampleSigners;
  /** What was logged, one object a line. */
  logged: Record<string, unknown>[];
  /** Ends a verification with a verdict of this kind. */
  conclude(id: string, kind: SampleKind): Promise<Verification>;
  /** A verification that has ended with a verdict of this kind. */
  judged(kind: SampleKind, reference?: string): Promise<Verification>;
  stop(): Promise<void>;
};

/** `insecure` are registries on loopback; `email` is in the key's user id. Without `token` POST and PUT are open. */
export async function startService(
  options: { token?: string; insecure?: string[]; email?: string; more?: Partial<Deps> } = {},
): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-api-'));
  const [redis, database] = await Promise.all([startRedis(), openPglite(join(folder, 'database'))]);
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) });
  const signer: Signer = await makeSigner(join(folder, 'key'), 'test', options.email);
  const envelopeSigner = makeEnvelopeSigner(makeEnvelopeKey(), 'made for the test');
  const signers = { signer, envelopeSigner, publicUrl: 'https://conforme.example.org' };
  const ignore = (): void => undefined;
  const queue = makeQueue(redis.address, ignore);
  const progress = makeProgress(redis.address, ignore);
  const watching = makeWatch(redis.address, ignore);
  const blobsUrl = pathToFileURL(join(folder, 'blobs')).href;
  const deps: Deps = {
    publicUrl: signers.publicUrl,
    token: options.token,
    rules: '1',
    contextBytesMax: 1_000_000,
    requestsPerMinute: 600,
    trustedProxies: [],
    git: makeLoopbackGit(join(folder, 'git')),
    registry: makeRegistry({ fetch, insecure: options.insecure ?? [], backoff: 5 }),
    blobs: openBlobs(blobsUrl),
    records: database.records,
    queue,
    watch: watching.watch,
    signer,
    envelopeSigner,
    logger,
    newId: randomUUID,
    now: () => new Date(),
    patience: 2_000,
    ...options.more,
  };
  let closing: Promise<void> | undefined;
  const closeDatabase = (): Promise<void> => (closing ??= database.close());
  const app = await buildApp(deps);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const conclude = async (id: string, kind: SampleKind): Promise<Verification> => {
    const accepted = await deps.records.get(id);
    if (accepted === undefined) throw new Error('there is no such verification');
    await deps.records.conclude(await sampleRecord(deps.blobs, signers, accepted, kind));
    return (await deps.records.get(id)) ?? accepted;
  };
  return {
    app,
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    deps,
    blobsUrl,
    redis,
    database: { ...database, close: closeDatabase },
    progress,
    signers,
    logged,
    conclude,
    async judged(kind, reference = `registry.example.org/${kind}:1`) {
      const { verification } = await deps.records.accept(sampleJob(randomUUID(), reference), randomUUID());
      return conclude(verification.id, kind);
    },
    async stop() {
      app.server.closeAllConnections();
      await app.close();
      await progress.close();
      watching.close();
      await queue.close();
      await closeDatabase();
      await redis[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
