/**
 * Where other programs look, and these programs as the judges: Debian's skopeo, which reads policy.json and signatures with the library of
 * podman and CRI-O, and Debian's gpg, which finds the key by its mail address.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { digestOf, hexOf } from '../../src/model/digest.ts';
import { zbase32 } from '../../src/model/zbase32.ts';
import { makeSigner } from '../../src/adapters/openpgp/signer.ts';
import { type Locator, makeLocator } from '../support/locate-key.ts';
import { pushImage, type Pushed, pushIndex } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { sampleJob } from '../support/sample.ts';
import type { SampleKind } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';
import { member, tar } from '../support/tar.ts';

const run = promisify(execFile);
const REPOSITORY = 'team/web';
const DOMAIN = 'conforme.example';
const EMAIL = `Verdicts@${DOMAIN}`;

let service: TestService;
let registry: TestRegistry;
let folder: string;
let key: string;
/** The default, which wants the very name that was judged, and the one that goes by the repository. */
type Identity = 'matchRepoDigestOrExact' | 'matchRepository';

before(async () => {
  [service, registry] = await Promise.all([startService({ email: EMAIL }), startRegistry()]);
  folder = await mkdtemp(join(tmpdir(), 'conforme-lookaside-'));
  key = join(folder, 'conforme.asc');
  await writeFile(key, await (await fetch(`${service.url}/v1/keys`)).text());
  await mkdir(join(folder, 'registries.d'));
  const place = { docker: { [registry.host]: { lookaside: `${service.url}/lookaside/${registry.host}` } } };
  await writeFile(join(folder, 'registries.d', 'conforme.yaml'), JSON.stringify(place)); // JSON is YAML
});
after(async () => {
  await Promise.all([service.stop(), registry.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const publish = (tag: string, text: string, architecture = 'amd64'): Promise<Pushed> =>
  pushImage(registry.host, REPOSITORY, [tar(member({ name: 'etc/motd' }, text))], { tag, platform: { os: 'linux', architecture } });

async function judge(tag: string, kind: SampleKind, manifest: Pushed, top = manifest): Promise<string> {
  const job = sampleJob(randomUUID(), `${registry.host}/${REPOSITORY}:${tag}`);
  await service.deps.records.accept({ ...job, image: { ...job.image, digest: top.digest, manifestDigest: manifest.digest } }, job.id);
  return (await service.conclude(job.id, kind)).verdictDigest ?? '';
}

/** Pulls as podman would; rejects with what it says where the policy refuses. */
async function pull(tag: string, options: { identity?: Identity; keyPath?: string; architecture?: string } = {}): Promise<void> {
  const { identity = 'matchRepoDigestOrExact', keyPath = key, architecture = 'amd64' } = options;
  const signed = { type: 'signedBy', keyType: 'GPGKeys', keyPath, signedIdentity: { type: identity } };
  const policy = join(folder, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'reject' }], transports: { docker: { [registry.host]: [signed] } } }));
  const global = ['--policy', policy, '--registries.d', join(folder, 'registries.d'), '--override-arch', architecture];
  const target = join(folder, randomUUID());
  await run('skopeo', [...global, 'copy', '--src-tls-verify=false', `docker://${registry.host}/${REPOSITORY}:${tag}`, `dir:${target}`]);
}
const refused = (pulled: Promise<void>): Promise<void> =>
  assert.rejects(pulled, (thrown: { stderr: string }) => /Source image rejected: (?!reading)/.test(thrown.stderr));

describe('policy.json with signedBy', () => {
  it('takes an image with a good verdict, by the name that was judged', async () => {
    const image = await publish('good', 'good');
    await refused(pull('good'));
    const verdict = await judge('good', 'honest', image);
    await pull('good');
    await pull('good', { identity: 'matchRepository' });

    // The file that it read, checked by hand.
    const path = `${registry.host}/${REPOSITORY}@sha256=${hexOf(image.digest)}/signature-1`;
    const signature = Buffer.from(await (await fetch(`${service.url}/lookaside/${path}`)).arrayBuffer());
    await writeFile(join(folder, 'signature'), signature);
    const gpg = ['--homedir', folder, '--batch', '--no-autostart'];
    await run('gpg', [...gpg, '--import', key]);
    const { stdout, stderr } = await run('gpg', [...gpg, '--decrypt', join(folder, 'signature')]);
    assert.match(stderr, /Good signature from "conforme test <Verdicts@conforme.example>"/);
    const claim = JSON.parse(stdout) as { optional: object };
    assert.deepEqual(claim.optional, { creator: 'conforme', timestamp: 1763944200, verdict });
  });

  it('refuses what was never judged, and what the verdict does not call good', async () => {
    await publish('unjudged', 'unjudged');
    await refused(pull('unjudged'));
    for (const kind of ['partly', 'backdoored', 'unsourced'] as const) {
      await judge(kind, kind, await publish(kind, kind));
      await refused(pull(kind));
    }
  });

  it('refuses a tag that has moved on to other bytes', async () => {
    await judge('moved', 'honest', await publish('moved', 'before'));
    await pull('moved');
    await publish('moved', 'after');
    await refused(pull('moved'));
    await refused(pull('moved', { identity: 'matchRepository' }));
  });

  it('takes the same bytes under another tag by the repository alone, until that tag was judged too', async () => {
    const image = await publish('first', 'the same');
    await judge('first', 'honest', image);
    await publish('second', 'the same');
    await refused(pull('second'));
    await pull('second', { identity: 'matchRepository' });
    await judge('second', 'honest', image);
    await pull('second');
    await pull('first');
  });

  it('refuses an image whose newest verdict is not good any more', async () => {
    const image = await publish('turned', 'turned');
    await judge('turned', 'honest', image);
    await pull('turned');
    await judge('turned', 'backdoored', image);
    await refused(pull('turned'));
  });

  it('takes of an index only the platform that was judged', async () => {
    const [amd64, arm64] = [await publish('amd64', 'for amd64'), await publish('arm64', 'for arm64', 'arm64')];
    const index = await pushIndex(registry.host, REPOSITORY, [amd64.descriptor, arm64.descriptor], 'both');
    await judge('both', 'honest', amd64, index);
    await pull('both');
    await refused(pull('both', { architecture: 'arm64' }));
  });

  it('refuses signatures of another key', async () => {
    const other = join(folder, 'other.asc');
    await writeFile(other, await (await makeSigner(join(folder, 'other'), 'test')).publicKey());
    await judge('good', 'honest', await publish('good', 'good'));
    await pull('good');
    await refused(pull('good', { keyPath: other }));
  });

  it('finds nothing of another repository, and nothing under what is no name', async () => {
    const image = await publish('good', 'good');
    await judge('good', 'honest', image);
    const hex = hexOf(image.digest);
    const status = async (path: string): Promise<number> => (await fetch(`${service.url}/lookaside/${path}`)).status;
    assert.equal(await status(`${registry.host}/${REPOSITORY}@sha256=${hex}/signature-1`), 200);
    for (const path of [
      `${registry.host}/team/we@sha256=${hex}/signature-1`,
      `${registry.host}/team/webb@sha256=${hex}/signature-1`,
      `${registry.host}/team/%25@sha256=${hex}/signature-1`,
      `${registry.host}/${REPOSITORY}@sha256=${hex}/signature-2`,
      `${registry.host}/${REPOSITORY}@sha256=${hex}/signature-0`,
      `${registry.host}/${REPOSITORY}@sha256=${hexOf(digestOf('x'))}/signature-1`,
      `${registry.host}/${REPOSITORY}@sha256=${hex.slice(1)}/signature-1`,
      `a%00b@sha256=${hex}/signature-1`,
      'nothing',
    ])
      assert.equal(await status(path), 404, path);
  });
});

describe('the web key directory', () => {
  let locator: Locator;
  before(async () => void (locator = await makeLocator(new URL(service.url).host, DOMAIN)));
  after(() => locator.stop());

  it('gives gpg the key by its mail address, at the host of the address', async () => {
    const listed = await locator.locate(EMAIL);
    assert.match(listed, new RegExp(`^fpr:+${await service.deps.signer.fingerprint()}:`, 'm'));
    assert.match(listed, new RegExp(`^uid:.*:conforme test <${EMAIL}>:`, 'm'));
    assert.deepEqual(
      locator.asked.map((path) => path.replace(/[a-z0-9]{32}/, '…')),
      ['/.well-known/openpgpkey/hu/…?l=verdicts'],
    );
  });

  it('has no key for another address', async () => {
    await assert.rejects(locator.locate(`nobody@${DOMAIN}`), /No data/);
    assert.equal(locator.asked.length, 1);
  });

  it('hashes as gpg-wks-client does', async () => {
    const { stdout } = await run('/usr/lib/gnupg/gpg-wks-client', ['--print-wkd-hash', EMAIL]);
    const hash = stdout.split(' ')[0] ?? '';
    const answer = await fetch(`${service.url}/.well-known/openpgpkey/hu/${hash}?l=Verdicts`);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/octet-stream']);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    // The way of asking that is tried first, at the host `openpgpkey`.
    const advanced = await fetch(`${service.url}/.well-known/openpgpkey/${DOMAIN}/hu/${hash}?l=Verdicts`);
    assert.deepEqual(await advanced.bytes(), await answer.bytes());
    const paths = {
      [`elsewhere.example/hu/${hash}`]: 404,
      policy: 200,
      [`${DOMAIN}/policy`]: 200,
      'hu/short': 400,
    };
    for (const [path, status] of Object.entries(paths))
      assert.equal((await fetch(`${service.url}/.well-known/openpgpkey/${path}`)).status, status, path);
    // Of the specification of z-base-32 itself.
    assert.equal(zbase32(Buffer.from([240, 191, 199])), '6n9hq');
    assert.equal(zbase32(Buffer.from([212, 122, 4])), '4t7ye');
  });
});
