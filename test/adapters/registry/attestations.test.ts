import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeRegistry } from '../../../src/adapters/registry/registry.ts';
import type { AttachedStatement } from '../../../src/model/attestation.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { PROVENANCE_TYPES } from '../../../src/model/provenance.ts';
import { Problem } from '../../../src/problem.ts';
import { attachByCosign, attachInIndex, attachReferrer, type Blob, bundleOf, envelopeOf, statementOf } from '../../support/attach.ts';
import { forward, startServer, type TestServer } from '../../support/http.ts';
import { pushImage, pushIndex, type Pushed } from '../../support/push.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';

let registry: TestRegistry;
const servers: TestServer[] = [];
const wanted = (type: string): boolean => (PROVENANCE_TYPES as readonly string[]).includes(type);
const PLAIN = { 'in-toto.io/predicate-type': PROVENANCE_TYPES[1] };
const other = digestOf('another image');

before(async () => {
  registry = await startRegistry();
});
after(async () => {
  await registry.stop();
  await Promise.all(servers.map((server) => server.stop()));
});

/** All of them, and what was told of the rest. `host` may be a server in front of the registry. */
async function read(repository: string, name: string, host = registry.host, most = Infinity): Promise<[AttachedStatement[], string[]]> {
  const client = makeRegistry({ fetch, insecure: [host], backoff: 5 });
  const reference = `${host}/${repository}:${name}`;
  const notes: string[] = [];
  const found: AttachedStatement[] = [];
  for await (const one of client.attestations(reference, await client.resolve(reference), wanted, (why) => notes.push(why))) {
    found.push(one);
    if (found.length >= most) break;
  }
  return [found, notes];
}
/** An image of its own for each repository, with blobs beside it in the index. */
async function attached(repository: string, blobsFor: (image: Pushed) => Blob[]): Promise<Pushed> {
  const image = await pushImage(registry.host, repository, [], { config: { Labels: { repository } } });
  await attachInIndex(registry.host, repository, image, blobsFor(image), 'it');
  return image;
}
const by = ([found]: [AttachedStatement[], string[]]): [string, unknown][] =>
  found.map(({ attachedBy, predicate }) => [attachedBy, predicate['n']]);

describe('statements attached to an image', () => {
  it("are read from BuildKit's manifest in the index", async () => {
    const bytes: Buffer[] = [];
    await attached('index', ({ digest }) => {
      bytes.push(statementOf(digest, { n: 1 }), statementOf(digest, { n: 2 }, 'https://spdx.dev/Document'));
      return bytes.map((one) => ({ bytes: one }));
    });
    const [[only, ...more], notes] = await read('index', 'it');
    assert.deepEqual(only, {
      digest: digestOf(bytes[0] ?? ''),
      attachedBy: 'index',
      predicateType: PROVENANCE_TYPES[1],
      predicate: { n: 1 },
    });
    assert.deepEqual([more, notes], [[], []]);
  });

  it('of another type by their annotation are not fetched', async () => {
    await attached('sbom', ({ digest }) => [
      { bytes: statementOf(digest, { n: 1 }), annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' } },
      { bytes: statementOf(digest, { n: 2 }), annotations: PLAIN },
      { bytes: Buffer.from('{}'), mediaType: 'application/json' },
    ]);
    const gate = await startServer((request, response) => forward(registry.host, request, response));
    servers.push(gate);
    assert.deepEqual(by(await read('sbom', 'it', gate.host)), [['index', 2]]);
    assert.equal(gate.seen.filter(({ url }) => url?.includes('/blobs/')).length, 2, 'the configuration and one statement');
  });

  it('are read from referrers by the tag schema, and from the tag of cosign, on the index and on the manifest', async () => {
    const image = await attached('both', () => []);
    const top = await makeRegistry({ fetch, insecure: [registry.host] }).resolve(`${registry.host}/both:it`);
    await attachReferrer(registry.host, 'both', image, statementOf(image.digest, { n: 'bundle' }));
    await attachByCosign(registry.host, 'both', top.digest, [statementOf(top.digest, { n: 'envelope' })]);
    const found = await read('both', 'it');
    assert.deepEqual(by(found), [['cosign-tag', 'envelope'], ['referrers', 'bundle']]); // prettier-ignore
    assert.deepEqual(found[1], []);
  });

  it('are read from referrers as OCI 1.1 answers for them', async () => {
    const image = await attached('referrers', () => []);
    await attachReferrer(registry.host, 'referrers', image, statementOf(image.digest, { n: 1 }));
    const tagged = `/v2/referrers/manifests/${image.digest.replace(':', '-')}`;
    const gate = await startServer((request, response) => {
      // A registry that knows of referrers has no such tag.
      if (request.url === tagged) return void response.writeHead(404).end();
      if (request.url === `/v2/referrers/referrers/${image.digest}`) request.url = tagged;
      forward(registry.host, request, response);
    });
    servers.push(gate);
    assert.deepEqual(by(await read('referrers', 'it', gate.host)), [['referrers', 1]]);
  });

  it('are asked for one after the other', async () => {
    await attached('lazy', ({ digest }) => [{ bytes: statementOf(digest, { n: 1 }) }]);
    const gate = await startServer((request, response) => forward(registry.host, request, response));
    servers.push(gate);
    await read('lazy', 'it', gate.host, 1);
    assert.ok(!gate.seen.some(({ url }) => /referrers|sha256-/.test(url ?? '')));
  });

  const hostile: [what: string, blobs: (image: Pushed) => Blob[], note: RegExp][] = [
    ['about another image', () => [{ bytes: statementOf(other, { n: 1 }) }], /about something else/],
    ['about another image in an envelope', () => [{ bytes: envelopeOf(statementOf(other, {})) }], /about something else/],
    ['about another image in a bundle', () => [{ bytes: bundleOf(statementOf(other, {})) }], /about something else/],
    ['of another type than it is said to be', ({ digest }) => [{ bytes: statementOf(digest, {}, 'x'), annotations: PLAIN }], /^$/],
    ['that is no JSON', () => [{ bytes: Buffer.from('\x1f\x8b\x00') }], /no JSON/],
    ['nested without end', () => [{ bytes: Buffer.from('{"_type":'.repeat(1000) + '1' + '}'.repeat(1000)) }], /nested too deeply/],
    ['that says to be endless', ({ digest }) => [{ bytes: statementOf(digest, {}), change: { size: 2 ** 40 } }], /more than \d+ bytes/],
    ['of another length', ({ digest }) => [{ bytes: statementOf(digest, {}), change: { size: 5 } }], /more than the 5 bytes/],
  ];
  for (const [what, blobs, note] of hostile) {
    it(`one ${what} is passed over, and the next is read`, async () => {
      const repository = what.replaceAll(' ', '-').toLowerCase();
      await attached(repository, (image) => [...blobs(image), { bytes: statementOf(image.digest, { n: 'good' }) }]);
      const found = await read(repository, 'it');
      assert.deepEqual(by(found), [['index', 'good']]);
      assert.match(found[1].join('\n'), note);
    });
  }

  it('of another image in the index are not looked at', async () => {
    const [mine, theirs] = [await pushImage(registry.host, 'pair', [], { config: { User: 'a' } }), await pushImage(registry.host, 'pair', [], { config: { User: 'b' } })]; // prettier-ignore
    const { descriptor } = await attachInIndex(registry.host, 'pair', theirs, [{ bytes: statementOf(theirs.digest, { n: 1 }) }]);
    const index = await makeRegistry({ fetch, insecure: [registry.host] }).resolve(`${registry.host}/pair@${descriptor.digest}`);
    await pushIndex(registry.host, 'pair', [mine.descriptor, ...(index.index?.manifests.slice(1) ?? [])], 'it');
    assert.deepEqual(await read('pair', 'it'), [[], []]);
  });

  it('have an end, however many there are', async () => {
    await attached('many', ({ digest }) => Array.from({ length: 40 }, (_none, n) => ({ bytes: statementOf(digest, { n }) })));
    const [found, notes] = await read('many', 'it');
    assert.equal(found.length, 32);
    assert.match(notes.join(), /more than 32/);
  });

  it('that the index names and the registry breaks down over are an error; a registry without referrers is none', async () => {
    await attached('down', ({ digest }) => [{ bytes: statementOf(digest, { n: 1 }) }]);
    let attestation: string | undefined;
    const breaking = await startServer((request, response) => {
      if (attestation !== undefined && request.url?.endsWith(attestation)) return void response.writeHead(500).end();
      forward(registry.host, request, response);
    });
    servers.push(breaking);
    const client = makeRegistry({ fetch, insecure: [breaking.host], backoff: 5 });
    attestation = (await client.resolve(`${breaking.host}/down:it`)).index?.manifests[1]?.digest;
    const code = (thrown: unknown): boolean => thrown instanceof Problem && thrown.code === 'registry-unavailable';
    await assert.rejects(read('down', 'it', breaking.host), code);

    for (const status of [400, 401, 405, 500]) {
      const without = await startServer((request, response) => {
        if (/referrers|sha256-/.test(request.url ?? '')) return void response.writeHead(status).end();
        forward(registry.host, request, response);
      });
      servers.push(without);
      assert.deepEqual(by(await read('down', 'it', without.host)), [['index', 1]], String(status));
    }
  });
});
