/**
 * Badge requests per second beside a bare Fastify route that answers the same bytes, in turns in one run, over loopback.
 * Ends with 1 where the badge is below the target.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import fastify from 'fastify';
import { pino } from 'pino';
import { buildApp } from '../api/app.ts';
import { openBlobs } from '../src/adapters/blobs/open.ts';
import { openPglite } from '../src/adapters/database/open.ts';
import { makeEnvelopeKey, makeEnvelopeSigner } from '../src/adapters/dsse/signer.ts';
import { makeSigner } from '../src/adapters/openpgp/signer.ts';
import { sampleJob, sampleRecord } from '../test/support/sample.ts';

const TARGET = 0.5; // of the bare route
const ROUNDS = 5;
const MILLISECONDS = 1_500; // a round of each
const CONNECTIONS = 16;
const REFERENCE = 'registry.example.org/shop:1';

/** Answers a second. Asked from a thread of its own, so that what asking costs is not taken for what answering costs. */
async function load(url: string): Promise<number> {
  const worker = new Worker(LOADER, { eval: true, workerData: { url, milliseconds: MILLISECONDS, connections: CONNECTIONS } });
  const [rate] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  return rate;
}

/** Each connection asks again as soon as it was answered. */
const LOADER = `
const { Agent, get } = require('node:http');
const { parentPort, workerData: { url, milliseconds, connections } } = require('node:worker_threads');
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const began = performance.now();
let answered = 0;
const ask = () => new Promise((resolve, reject) => {
  get(url, { agent }, (response) => {
    if (response.statusCode !== 200) reject(new Error(url + ' answers ' + response.statusCode));
    response.on('end', resolve).resume();
  }).on('error', reject);
});
const lane = async () => {
  for (; performance.now() - began < milliseconds; answered += 1) await ask();
};
Promise.all(Array.from({ length: connections }, lane)).then(() => {
  parentPort.postMessage((answered * 1000) / (performance.now() - began));
});
`;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const folder = await mkdtemp(join(tmpdir(), 'conforme-bench-'));
const unused = (): never => {
  throw new Error('a badge needs neither queue, registry nor git');
};
const { records, close } = await openPglite(join(folder, 'database'));
const blobs = openBlobs(pathToFileURL(join(folder, 'blobs')).href);
const signer = await makeSigner(join(folder, 'key'), 'bench');
const envelopeSigner = makeEnvelopeSigner(makeEnvelopeKey(), 'made for the bench');
const app = await buildApp({
  publicUrl: 'http://127.0.0.1',
  token: undefined,
  rules: '1',
  contextBytesMax: 0,
  requestsPerMinute: 0,
  trustedProxies: [],
  registry: { resolve: unused },
  git: { pin: unused },
  blobs,
  records,
  queue: { enqueue: unused, deliver: unused, deliverAgain: unused, currentStep: unused, ready: unused },
  watch: unused,
  signer,
  envelopeSigner,
  logger: pino({ level: 'info' }, { write: () => undefined }),
  newId: randomUUID,
  now: () => new Date(),
  patience: 5_000,
});
const bare = fastify();
let failed = false;
try {
  const { verification } = await records.accept(sampleJob('bench', REFERENCE), 'bench');
  await records.conclude(await sampleRecord(blobs, { signer, envelopeSigner, publicUrl: 'http://127.0.0.1' }, verification, 'honest'));
  const svg = (await app.inject(`/badge/${REFERENCE}.svg`)).body;
  bare.get('/badge', (_request, reply) => reply.type('image/svg+xml; charset=utf-8').send(svg));
  for (const each of [app, bare]) await each.listen({ host: '127.0.0.1', port: 0 });
  const address = (each: { server: { address(): unknown } }): string => `http://127.0.0.1:${(each.server.address() as AddressInfo).port}`;
  const urls = { badge: `${address(app)}/badge/${REFERENCE}.svg`, bare: `${address(bare)}/badge` };
  await load(urls.badge);
  await load(urls.bare);
  const rates: { badge: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Whoever comes second in a round has a warmer machine.
    const [badge, plain] =
      round % 2 === 0
        ? [await load(urls.badge), await load(urls.bare)]
        : await load(urls.bare).then(async (first) => [await load(urls.badge), first] as const);
    rates.push({ badge, bare: plain });
    console.log(`round ${round + 1}: badge ${badge.toFixed(0)}/s, bare route ${plain.toFixed(0)}/s, ratio ${(badge / plain).toFixed(2)}`);
  }
  const ratio = median(rates.map(({ badge, bare: plain }) => badge / plain));
  failed = ratio < TARGET;
  console.log(
    `badge: ${median(rates.map(({ badge }) => badge)).toFixed(0)} requests/s, ${ratio.toFixed(2)} of a bare route (target ${TARGET}) ${failed ? 'MISSED' : 'met'}`,
  );
} finally {
  await Promise.all([app.close(), bare.close()]);
  await close();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
