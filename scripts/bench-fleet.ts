/**
 * Questions about 10,000 judged images with 200 packages each, on PGlite, through the HTTP interface: page after page of each. Ends
 * with 1 where the slowest median of a page of the usual size is above the target. The first images are stored as the conclude
 * worker stores them; the others are copies of their rows under names and digests of their own, which takes a tenth of the time.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { buildApp } from '../api/app.ts';
import { composeForWatches } from '../workers/end.ts';
import { PGlite } from '@electric-sql/pglite';
import { migrate } from '../src/adapters/database/migrations.ts';
import { makeRecords } from '../src/adapters/database/records.ts';
import { pgliteSql } from '../src/adapters/database/sql.ts';
import { type Digest, digestOf } from '../src/model/digest.ts';
import type { FileSet, ImageContents } from '../src/model/image-contents.ts';
import { canonicalJson } from '../src/model/json.ts';
import type { SecurityIssue, SourceIssues } from '../src/model/security.ts';
import type { VerdictRecord, VerificationJob } from '../src/model/verification.ts';

const TARGET = 100; // milliseconds
const IMAGES = 10_000;
const STORED = 500; // of them, by the way of the conclude worker
const PACKAGES = 200; // an image
const NAMES = 600; // packages that images choose from; a release has 60,000
const VERSIONS = 12; // of each: security updates of two years
const FILES = 20; // a package; more only take longer to store
const OWN_FILES = 100; // an image
const CHANGED = 99; // a package that every image holds, each with other files
const ROUNDS = 15;

/** The same numbers at each run: a linear congruential generator. */
let state = 1;
const random = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const digest = (text: string): Digest => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const COPIED = digest('copied'); // a file that every image holds in its own application

const sets = new Map<string, FileSet>();
function setOf(name: string, files: number): FileSet {
  const known = sets.get(name);
  if (known !== undefined) return known;
  const list = Array.from({ length: files }, (_, index) => ({ digest: digest(`${name} ${index}`), path: `/usr/lib/${name}/${index}` }));
  if (files === OWN_FILES) list.push({ digest: COPIED, path: '/srv/copied.jar' });
  const made = { digest: digestOf(canonicalJson(list)), files: list };
  if (files === FILES) sets.set(name, made);
  return made;
}

/** An image of `image`'s time: what it installs is as new as that. */
function record(job: VerificationJob, image: number): VerdictRecord {
  const first = random(NAMES);
  const packages: VerdictRecord['packages'] = [];
  const ofPackages = new Map<number, FileSet>();
  for (let index = 0; index < PACKAGES; index++) {
    // Every image has the first 100, as every Debian image has libc6; the others are its own choice.
    const number = index < 100 ? index : 100 + ((first + index * 7) % (NAMES - 100));
    const version = `1:2.${number}.0-1+deb12u${Math.min(VERSIONS, 1 + Math.floor((image * VERSIONS) / STORED) + random(2))}`;
    // What every image changes itself, in the files of a package, makes a set of its own.
    const set = number === CHANGED ? `package${number}-${version} in ${image}` : `package${number}-${version}`;
    ofPackages.set(packages.length, setOf(set, FILES));
    packages.push({
      name: `package${number}`,
      version,
      architecture: 'amd64',
      source: `source${number >> 2}`,
      sourceVersion: version,
      layer: 1,
    });
  }
  const contents: ImageContents = {
    release: 'bookworm',
    layers: [{ digest: digest(`base ${image % 50}`) }, { digest: digest(`layer ${image}`), line: 3, createdBy: 'RUN apt-get install' }],
    packages: ofPackages,
    files: [
      { layer: 0, hidden: false, set: setOf(`base ${image % 50}`, FILES) },
      { layer: 1, hidden: false, set: setOf(`application ${image}`, OWN_FILES) },
    ],
  };
  const statement = Buffer.from(`{"image":${image}}`);
  const verdict = { result: 'identical', auditable: 'yes', findings: [] } as unknown as VerdictRecord['verdict'];
  const where = { account: digest('account'), differences: digest('differences') };
  return {
    digest: digestOf(statement),
    verification: job.id,
    image: job.image,
    verdict,
    statement,
    signature: '',
    ...where,
    packages,
    contents,
  };
}

const COPY_OF_DIGEST = `'sha256:' || encode(sha256(convert_to($1 || manifest_digest, 'UTF8')), 'hex')`;

/** The rows of the images that were stored, once more, as those of images `by` further on. */
async function copy(by: number): Promise<void> {
  await sql.query(
    `insert into verifications (id, request_key, job, reference, digest, manifest_digest, status, step, platform, release)
     select id || '.' || $1, id || '.' || $1, job, 'copy' || $1 || '.' || reference, $1 || digest, ${COPY_OF_DIGEST}, status, step, platform, release
     from verifications where seq <= $2 order by seq`,
    [String(by), STORED],
  );
  await sql.query(
    `insert into verdicts (verification, digest, image, result, verdict, statement, signature, account, differences)
     select verification || '.' || $1, $1 || d.digest, replace(image, v.manifest_digest, ${COPY_OF_DIGEST}), result, verdict, statement, signature, account, differences
     from verdicts d join verifications v on v.id = d.verification where v.seq <= $2`,
    [String(by), STORED],
  );
  for (const [table, columns] of [
    ['verification_packages', 'package, layer'],
    ['verification_file_sets', 'file_set, layer, hidden'],
    ['verification_layers', 'layer, digest, line, created_by'],
  ])
    await sql.query(
      `insert into ${table} (verification, ${columns}) select verification + $1::bigint, ${columns} from ${table} where verification <= $2::bigint`,
      [by, STORED],
    );
}

/** What a security tracker says of every source package; version `than` and later have the fix. */
async function load(name: string, than: number): Promise<void> {
  async function* issues(): AsyncGenerator<SourceIssues> {
    for (let source = 0; source < NAMES >> 2; source++) {
      const all = Array.from({ length: 20 }, (_, index): SecurityIssue => {
        const number = source * 4 + (index % 4);
        const fixed = `1:2.${number}.0-1+deb12u${than}`;
        return { cve: `CVE-2024-${10_000 + source * 20 + index}`, release: 'bookworm', status: 'resolved', fixed, urgency: 'medium' };
      });
      yield { source: `source${source}`, issues: all };
    }
  }
  const tracker = { url: 'http://127.0.0.1/', digest: digest(name), fetchedAt: '2026-01-01T00:00:00.000Z' };
  await records.loadSecurityData({ ...tracker, document: digest(name) }, issues());
}

/** Tells of new data, and asks a small question over and over meanwhile: how long does that wait at worst? */
async function tell(name: string): Promise<void> {
  const events = async (): Promise<number> => Number((await sql.query('select count(*) as count from watch_events'))[0]?.['count']);
  const compose = composeForWatches({ publicUrl: '', now: () => new Date(0) });
  const before = await events();
  let ended = false;
  const began = performance.now();
  const telling = records.tellOfSecurityData(compose).finally(() => {
    ended = true;
  });
  const waits: number[] = [];
  while (!ended) {
    const asked = performance.now();
    await app.inject('/v1/images?package=package0&limit=1');
    waits.push(performance.now() - asked);
    await sleep(10);
  }
  await telling;
  const took = performance.now() - began;
  const told = (await events()) - before;
  console.log(
    `new security data, ${name}: ${told} events in ${took.toFixed(0)} ms; a question meanwhile: median ${median(waits).toFixed(0)} ms, worst ${Math.max(...waits).toFixed(0)} ms of ${waits.length}`,
  );
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const folder = await mkdtemp(join(tmpdir(), 'conforme-bench-'));
const unused = (): never => {
  throw new Error('a question about images needs the database alone');
};
const sql = pgliteSql(await PGlite.create(join(folder, 'database')));
await migrate(sql);
const records = makeRecords(sql);
const app = await buildApp({
  publicUrl: 'http://127.0.0.1',
  token: undefined,
  rules: '1',
  contextBytesMax: 0,
  requestsPerMinute: 0,
  trustedProxies: [],
  registry: { resolve: unused },
  git: { pin: unused },
  blobs: { put: unused, open: unused, read: unused, has: unused, resolve: unused, link: unused },
  records,
  queue: { enqueue: unused, deliver: unused, deliverAgain: unused, currentStep: unused, ready: unused },
  watch: unused,
  signer: { publicKey: unused, fingerprint: unused },
  envelopeSigner: { publicKey: unused, keyId: unused },
  logger: pino({ level: 'warn' }),
  newId: randomUUID,
  now: () => new Date(),
  patience: 5_000,
});
let failed = false;
try {
  const began = performance.now();
  for (let image = 0; image < STORED; image++) {
    const named = { reference: `registry.example.org/team/app${image >> 1}:1`, digest: digest(`index ${image}`) };
    const job: VerificationJob = {
      id: `v${image}`,
      request: { image: named.reference },
      image: { ...named, manifestDigest: digest(`manifest ${image}`), platform: { os: 'linux', architecture: 'amd64' } },
    };
    await records.accept(job, job.id);
    await records.conclude(record(job, image));
  }
  console.log(`${STORED} images stored, ${((performance.now() - began) / STORED).toFixed(1)} ms each`);
  for (let copied = STORED; copied < IMAGES; copied += STORED) await copy(copied);
  const [{ size } = {}] = await sql.query('select pg_database_size(current_database()) as size');
  console.log(`${IMAGES} images, ${(Number(size) / IMAGES / 1024).toFixed(1)} kB of database each`);
  await load('tracker', VERSIONS >> 1);
  const newest = `1:2.0.0-1+deb12u${VERSIONS}`;
  const questions = {
    'every image, older than the newest': `package=package0&olderThan=${encodeURIComponent(newest)}`,
    'every image, any version': 'package=package1',
    'a source package of four binaries': 'package=source2&olderThan=9:0',
    'a package of some images': 'package=package400&olderThan=9:0',
    'a CVE of the package in every image': 'cve=CVE-2024-10001',
    'no image': `package=package0&olderThan=0`,
    'a file of a package': `file=${digest(`package0-1:2.0.0-1+deb12u5 1`)}`,
    'a file of one image': `file=${digest(`application ${STORED >> 1} 3`)}`,
    'a package of other files in each image': `package=package${CHANGED}`,
    'a file that every application holds': `file=${COPIED}`,
    'a file of a base image': `file=${digest(`base 7 3`)}`,
  };
  let slowest = 0;
  for (const [name, query] of Object.entries(questions)) {
    for (const [where, more] of [
      ['100 a page', '&limit=100'],
      ['1000 a page', '&limit=1000'],
    ] as const) {
      let cursor = '';
      const times: number[] = [];
      const busy = process.cpuUsage();
      let found = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        const answer = await app.inject(`/v1/images?${query}${more}${cursor}`);
        times.push(performance.now() - start);
        const { items, next } = answer.json<{ items: unknown[]; next?: string }>();
        if (answer.statusCode !== 200) throw new Error(answer.body);
        found = Math.max(found, items.length);
        cursor = next === undefined ? '' : `&cursor=${next}`; // through all pages, then from the start again
      }
      const { user, system } = process.cpuUsage(busy);
      const processor = (user + system) / 1000 / ROUNDS;
      if (more === '&limit=100') slowest = Math.max(slowest, median(times));
      console.log(
        `${name}, ${where}: ${found} items, median ${median(times).toFixed(1)} ms, of the processor ${processor.toFixed(1)} ms, worst ${Math.max(...times).toFixed(1)} ms of ${ROUNDS}`,
      );
    }
  }
  await records.addWatch({ id: 'cve', condition: { cve: 'CVE-2024-10001' }, url: 'http://127.0.0.1/' });
  await load('newer', VERSIONS);
  await tell('a watched CVE of every image');
  for (let watch = 0; watch < 1000; watch++) {
    const condition =
      watch < 500 ? { package: `package${watch}`, olderThan: newest } : { image: `registry.example.org/team/app${watch - 500}:1` };
    await records.addWatch({ id: `w${watch}`, condition, url: 'http://127.0.0.1/' });
  }
  await load('newest', VERSIONS + 1);
  await tell('1001 watches');
  failed = slowest > TARGET;
  console.log(
    `fleet: ${IMAGES} images with ${PACKAGES} packages, slowest median ${slowest.toFixed(1)} ms (target ${TARGET} ms) ${failed ? 'MISSED' : 'met'}`,
  );
} finally {
  await app.close();
  await sql.close();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
