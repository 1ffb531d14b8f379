/** Verdicts on images in a registry, attached by the deliver worker, with cosign as the judge where it is there. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeEnvelopeKey, makeEnvelopeSigner } from '../../src/adapters/dsse/signer.ts';
import { makeConsume } from '../../src/adapters/queue/consume.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import { makeAttach } from '../../src/adapters/registry/attach.ts';
import { openAccess } from '../../src/adapters/registry/push.ts';
import { makeRegistry } from '../../src/adapters/registry/registry.ts';
import type { AttachForm } from '../../src/model/attachment.ts';
import { type Digest, digestOf, hexOf } from '../../src/model/digest.ts';
import type { Attach, Delivery } from '../../src/ports.ts';
import { runDeliver } from '../../workers/deliver.ts';
import { announceEnd, recordsWithDelivery } from '../../workers/end.ts';
import { attachByCosign, attachReferrer, statementOf } from '../support/attach.ts';
import { cosign, needsCosign } from '../support/cosign.ts';
import { payloadByInToto } from '../support/envelopes.ts';
import { forward, startServer, type TestServer } from '../support/http.ts';
import { pushImage, type Pushed, pushIndex } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { sampleJob, sampleRecord } from '../support/sample.ts';
import type { SampleKind } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';
import { member, tar } from '../support/tar.ts';
import { eventually } from '../support/verification.ts';

const VERDICT = 'urn:conforme:predicate:verdict:v1';
const SUMMARY = 'https://slsa.dev/verification_summary/v1';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const onError = (): void => undefined;

let service: TestService;
let registry: TestRegistry;
let queue: ReturnType<typeof makeQueue>;
let folder: string;
let key: string;
let attachAtOnce: Attach;
const servers: TestServer[] = [];

before(async () => {
  [service, registry] = await Promise.all([startService(), startRegistry()]);
  queue = makeQueue(service.redis.address, onError);
  folder = await mkdtemp(join(tmpdir(), 'conforme-attach-'));
  key = join(folder, 'cosign.pub');
  attachAtOnce = makeAttach(openAccess({ fetch, insecure: [registry.host] }), 'cosign-tag');
  await writeFile(key, await service.deps.envelopeSigner.publicKey());
});
after(async () => {
  await queue.close();
  await Promise.all([service.stop(), registry.stop(), ...servers.map((server) => server.stop())]);
  await rm(folder, { recursive: true, force: true });
});

const publish = (repository: string, text: string, architecture = 'amd64'): Promise<Pushed> =>
  pushImage(registry.host, repository, [tar(member({ name: 'etc/motd' }, text))], { platform: { os: 'linux', architecture } });

/** Stores a verdict on an image as the conclude worker does, and gives what became of attaching it. */
async function judged(
  repository: string,
  kind: SampleKind,
  manifest: Pushed,
  options: { top?: Pushed; form?: AttachForm; host?: string; attachTo?: string[] } = {},
): Promise<Delivery[]> {
  const { top = manifest, form = 'cosign-tag', host = registry.host, attachTo = [host] } = options;
  const sample = sampleJob(randomUUID(), `${host}/${repository}:1`);
  const job = { ...sample, image: { ...sample.image, digest: top.digest, manifestDigest: manifest.digest } };
  const { records } = service.deps;
  await records.accept(job, job.id);
  const { publicUrl } = service.deps;
  const ports = { records, queue, tellEnd: service.progress.end, publicUrl, forges: [], attachTo, now: () => new Date() };
  await recordsWithDelivery(ports, job).conclude({ ...(await sampleRecord(service.deps.blobs, service.signers, job, kind)), packages: [] });
  const attach = makeAttach(openAccess({ fetch, insecure: [host, registry.host], backoff: 5 }), form);
  const readSecret = (): Promise<never> => Promise.reject(new Error('no forge is told'));
  const deliverPorts = { records, fetch, secrets: [], forges: [], readSecret, attach, publicUrl, now: () => new Date() };
  const worker = runDeliver(deliverPorts, makeConsume(service.redis.address, onError, { pause: () => 20 }));
  try {
    await announceEnd(ports, job);
    return await eventually(async () => {
      const deliveries = await records.deliveriesOf(job.id);
      return deliveries.every(({ status }) => status !== 'pending') && deliveries;
    });
  } finally {
    await worker.close();
  }
}

/** What another instance attaches. */
function attach(repository: string, { digest }: Pushed, verifier: string): Promise<void> {
  const envelope = { payloadType: 'application/vnd.in-toto+json', payload: Buffer.from(verifier).toString('base64'), signatures: [] };
  const attachment = { envelope, predicateType: VERDICT, verifier, manifestDigest: digest, created: '2025-01-01T00:00:00Z' };
  return attachAtOnce(`${registry.host}/${repository}`, digest, [attachment]);
}

type Manifest = { artifactType?: string; layers: Entry[]; manifests: Entry[]; config: Entry; subject?: Entry };
type Entry = { mediaType: string; digest: Digest; size: number; artifactType?: string; annotations?: Record<string, string> };

async function manifestOf(repository: string, reference: string): Promise<Manifest | undefined> {
  const accept = ['index', 'manifest'].map((kind) => `application/vnd.oci.image.${kind}.v1+json`).join(', ');
  const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${reference}`, { headers: { accept } });
  return answer.ok ? ((await answer.json()) as Manifest) : undefined;
}
const blobOf = async (repository: string, digest: Digest): Promise<string> =>
  (await fetch(`http://${registry.host}/v2/${repository}/blobs/${digest}`)).text();
const typesOf = (entries: readonly Entry[] = []): string[] =>
  entries.map(({ annotations }) => annotations?.['predicateType'] ?? '?').sort();
const att = ({ digest }: Pushed): string => `sha256-${hexOf(digest)}.att`;
const fallback = ({ digest }: Pushed): string => `sha256-${hexOf(digest)}`;

describe('a verdict is attached', () => {
  it('under the tag of cosign and as a referrer, signed as it was stored', async () => {
    const [image, other] = [await publish('team/web', 'web'), await publish('team/web', 'web', 'arm64')];
    const top = await pushIndex(registry.host, 'team/web', [image.descriptor, other.descriptor], '1');
    const [delivery] = await judged('team/web', 'honest', image, { top });
    assert.deepEqual(
      [delivery?.event, delivery?.status, delivery?.attempts.map(({ status }) => status)],
      ['verdict.attached', 'delivered', [201]],
    );
    assert.equal(delivery?.url, `oci://${registry.host}/team/web@${image.digest}`);
    for (const [subject, types] of [
      [image, [SUMMARY, VERDICT]],
      [top, [VERDICT]],
      [other, []],
    ] as const) {
      assert.deepEqual(typesOf((await manifestOf('team/web', att(subject)))?.layers), types);
      const referrers = (await manifestOf('team/web', fallback(subject)))?.manifests ?? [];
      assert.deepEqual(referrers.map(({ annotations }) => annotations?.['in-toto.io/predicate-type']).sort(), types);
      for (const { digest, artifactType } of referrers) {
        const artifact = await manifestOf('team/web', digest);
        assert.deepEqual(
          [artifactType, artifact?.artifactType, artifact?.subject?.digest],
          [...Array<string>(2).fill('application/vnd.in-toto+json'), subject.digest],
        );
        const payload = await payloadByInToto(
          await blobOf('team/web', artifact?.layers[0]?.digest ?? digestOf('')),
          await service.deps.envelopeSigner.publicKey(),
        );
        assert.match(payload.toString(), new RegExp(hexOf(image.digest)));
      }
    }
  });

  it('only where the operator wants it', async () => {
    const image = await publish('others/web', 'others');
    for (const attachTo of [[], ['registry.example.org'], [`${registry.host}/other`], [`${registry.host}/others/we`]])
      assert.deepEqual(await judged('others/web', 'honest', image, { attachTo }), []);
    assert.equal((await judged('others/web', 'honest', image, { attachTo: [`${registry.host}/others`] })).length, 1);
  });

  it('beside what others attached, in place of an older one of its own', async () => {
    const image = await publish('team/shared', 'shared');
    const theirs = statementOf(image.digest, { buildDefinition: {} });
    await attachByCosign(registry.host, 'team/shared', image.digest, [theirs]);
    await attachReferrer(registry.host, 'team/shared', image, theirs);
    const before = [
      (await manifestOf('team/shared', att(image)))?.layers[0],
      (await manifestOf('team/shared', fallback(image)))?.manifests[0],
    ];
    for (const kind of ['honest', 'backdoored', 'backdoored'] as const) await judged('team/shared', kind, image);
    const [layers = [], manifests = []] = [
      (await manifestOf('team/shared', att(image)))?.layers,
      (await manifestOf('team/shared', fallback(image)))?.manifests,
    ];
    assert.deepEqual(typesOf(layers), [PROVENANCE, SUMMARY, VERDICT].sort());
    assert.equal(manifests.length, 3);
    assert.deepEqual([layers[0], manifests[0]], before);
    const summary = layers.find(({ annotations }) => annotations?.['predicateType'] === SUMMARY);
    const envelope = JSON.parse(await blobOf('team/shared', summary?.digest ?? digestOf(''))) as { payload: string };
    assert.equal(JSON.parse(Buffer.from(envelope.payload, 'base64').toString()).predicate.verificationResult, 'FAILED');
  });

  it('and does not keep the next verification from what the publisher attached', async () => {
    const [image, repository] = [await publish('team/often', 'often'), 'team/often'];
    await attachReferrer(registry.host, repository, image, statementOf(image.digest, { buildDefinition: {} }));
    // Other instances, whose statements stay where they are: more than are looked into.
    for (let index = 0; index < 17; index++) await attach(repository, image, `https://v${index}.example`);
    const [theirs, ...others] = (await manifestOf(repository, fallback(image)))?.manifests ?? [];
    assert.ok(theirs !== undefined && others.length === 17);
    await pushIndex(registry.host, repository, [...others, theirs], fallback(image));
    const client = makeRegistry({ fetch, insecure: [registry.host], backoff: 5 });
    const reference = `${registry.host}/${repository}@${image.digest}`;
    const found: string[] = [];
    const passedOver: string[] = [];
    const isWanted = (type: string): boolean => type === PROVENANCE;
    for await (const one of client.attestations(reference, await client.resolve(reference), isWanted, (why) => passedOver.push(why)))
      found.push(one.predicateType);
    assert.deepEqual([found, passedOver], [[PROVENANCE], []]);
  });

  it('by many at once, and none is lost', async () => {
    const [image, repository] = [await publish('team/many', 'many'), 'team/many'];
    const instances = Array.from({ length: 6 }, (_, index) => `https://v${index}.example`);
    await Promise.all(instances.map((instance) => attach(repository, image, instance)));
    for (const entries of [(await manifestOf(repository, att(image)))?.layers, (await manifestOf(repository, fallback(image)))?.manifests])
      assert.deepEqual(entries?.map(({ annotations }) => annotations?.['conforme.verifier']).sort(), instances);
  });

  it('without a list of its own where the registry keeps one', async () => {
    const shim = await startServer((incoming, response) => {
      const { writeHead } = response;
      const listing = { 'oci-subject': 'sha256:0' };
      if (incoming.method === 'PUT' && (incoming.url ?? '').includes('/manifests/sha256:'))
        response.writeHead = ((status: number, headers: object) =>
          writeHead.call(response, status, { ...headers, ...listing })) as typeof writeHead;
      forward(registry.host, incoming, response);
    });
    servers.push(shim);
    const image = await publish('team/referrers', 'referrers');
    const [delivery] = await judged('team/referrers', 'honest', image, { host: shim.host });
    assert.equal(delivery?.status, 'delivered', JSON.stringify(delivery));
    assert.equal(await manifestOf('team/referrers', fallback(image)), undefined);
    assert.deepEqual(typesOf((await manifestOf('team/referrers', att(image)))?.layers), [SUMMARY, VERDICT]);
  });

  it('or not, which the verdict does not mind', async () => {
    const image = await publish('team/denied', 'denied');
    const statuses: number[] = [];
    const gate = await startServer((incoming, response) => {
      const isPush = incoming.method === 'POST' || incoming.method === 'PUT';
      const status = (isPush && statuses.shift()) || undefined;
      if (status === undefined) return forward(registry.host, incoming, response);
      response.writeHead(status).end();
    });
    servers.push(gate);
    statuses.push(403);
    const [denied] = await judged('team/denied', 'honest', image, { host: gate.host });
    assert.deepEqual([denied?.status, denied?.attempts.length], ['failed', 1]);
    assert.match(denied?.attempts[0]?.error ?? '', /does not take an upload: the registry answers 403/);
    statuses.push(500, 500, 500, 500);
    const [again] = await judged('team/denied', 'honest', image, { host: gate.host });
    assert.deepEqual([again?.status, again?.attempts.map(({ status }) => status)], ['delivered', [undefined, 201]]);
    const [gone] = await judged('team/denied', 'honest', { ...image, digest: digestOf('gone') });
    assert.match(gone?.attempts[0]?.error ?? '', /no image .* any more/);
    assert.equal((await service.deps.records.get(gone?.verification ?? ''))?.status, 'done');
  });
});

describe('cosign', () => {
  const verify = (reference: string, type: string, keyPath = key, ...more: string[]): Promise<string> =>
    cosign(
      folder,
      'verify-attestation',
      '--allow-insecure-registry',
      '--insecure-ignore-tlog',
      '--key',
      keyPath,
      '--type',
      type,
      ...more,
      reference,
    );

  it('accepts the envelopes as they are served, without any registry', needsCosign, async () => {
    const { verdictDigest } = await service.judged('honest');
    for (const [name, type] of [
      ['dsse.json', VERDICT],
      ['vsa.dsse.json', SUMMARY],
    ] as const) {
      const file = join(folder, name);
      await writeFile(file, await (await fetch(`${service.url}/v1/verdicts/${verdictDigest}/${name}`)).text());
      const args = ['--key', key, '--insecure-ignore-tlog', '--check-claims=false', '--signature', file, '/dev/null'];
      await cosign(folder, 'verify-blob-attestation', '--type', type, ...args);
      await assert.rejects(cosign(folder, 'verify-blob-attestation', '--type', 'https://slsa.dev/provenance/v1', ...args));
    }
  });

  for (const form of ['cosign-tag', 'bundle'] as const)
    it(`accepts the verdict and its summary, by its key alone (${form})`, needsCosign, async () => {
      const repository = `cosign/${form}`;
      const [image, other] = [await publish(repository, 'web'), await publish(repository, 'web', 'arm64')];
      const top = await pushIndex(registry.host, repository, [image.descriptor, other.descriptor], '1');
      await judged(repository, 'honest', image, { top, form });
      const root = join(folder, 'trusted-root.json');
      await writeFile(root, JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }));
      const offline = form === 'bundle' ? ['--new-bundle-format', '--trusted-root', root] : [];
      const [byTag, byDigest] = [`${registry.host}/${repository}:1`, `${registry.host}/${repository}@${image.digest}`];
      for (const [reference, type] of [
        [byTag, VERDICT],
        [byDigest, VERDICT],
        [byDigest, SUMMARY],
      ] as const) {
        const { payload } = JSON.parse(await verify(reference, type, key, ...offline)) as { payload: string };
        assert.match(Buffer.from(payload, 'base64').toString(), type === VERDICT ? /"auditable":"yes"/ : /"PASSED"/);
      }
      // The index holds a platform that nobody judged.
      await assert.rejects(verify(byTag, SUMMARY, key, ...offline));
      await assert.rejects(verify(`${registry.host}/${repository}@${other.digest}`, VERDICT, key, ...offline));
      const stranger = join(folder, 'stranger.pub');
      await writeFile(stranger, await makeEnvelopeSigner(makeEnvelopeKey(), 'of nobody').publicKey());
      await assert.rejects(verify(byDigest, VERDICT, stranger, ...offline));
    });
});
