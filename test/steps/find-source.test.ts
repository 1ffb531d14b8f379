import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResolvedImage } from '../../src/model/oci.ts';
import type { BuildRecipe, Provenance } from '../../src/model/provenance.ts';
import { compareDockerfiles } from '../../src/steps/compare-dockerfiles.ts';
import { findRecipe } from '../../src/steps/find-recipe.ts';
import { findSource, whyNoSource } from '../../src/steps/find-source.ts';

const digest = `sha256:${'0'.repeat(64)}` as const;
const SOURCE = 'org.opencontainers.image.source';
const REVISION = 'org.opencontainers.image.revision';
const named = (source: string, revision = 'abc1234'): Record<string, string> => ({ [SOURCE]: source, [REVISION]: revision });

function image(parts: {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  index?: Record<string, string>;
}): ResolvedImage {
  const descriptor = { mediaType: '', digest, size: 0 };
  return {
    reference: 'x',
    digest,
    manifestDigest: digest,
    platform: { os: 'linux', architecture: 'amd64' },
    manifest: {
      mediaType: '',
      config: descriptor,
      layers: [],
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
    },
    config: {
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [] },
      ...(parts.labels === undefined ? {} : { config: { Labels: parts.labels } }),
    },
    ...(parts.index === undefined ? {} : { index: { mediaType: '', manifests: [], annotations: parts.index } }),
  };
}

describe('findSource', () => {
  it('takes the request before the image, labels before annotations', () => {
    const all = image({
      labels: named('https://label.example/x'),
      annotations: named('https://manifest.example/x'),
      index: named('https://index.example/x'),
    });
    assert.deepEqual(findSource({ source: { git: 'https://request.example/x' } }, all), {
      location: { git: 'https://request.example/x' },
      evidence: 'request',
    });
    assert.deepEqual(findSource({ source: { context: digest } }, all)?.evidence, 'request');
    assert.deepEqual(findSource({}, all), { location: { git: 'https://label.example/x', ref: 'abc1234' }, evidence: 'label' });
    assert.equal(
      findSource({}, image({ annotations: named('https://manifest.example/x'), index: named('https://index.example/x') }))?.evidence,
      'annotation',
    );
    assert.deepEqual(findSource({}, image({ index: named('https://index.example/x') }))?.location, {
      git: 'https://index.example/x',
      ref: 'abc1234',
    });
  });

  it('finds none where nothing usable is named', () => {
    assert.equal(findSource({}, image({})), undefined);
    for (const labels of [
      { [SOURCE]: 'https://example.org/x' },
      named('ssh://git@example.org/x'),
      named('file:///etc'),
      named('ext::sh -c id'),
      named('https://user:secret@example.org/x'),
      named('no address'),
      named('https://example.org/x', '--upload-pack=id'),
      named('https://example.org/x', ''),
      named('https://example.org/x', 'a b'),
    ])
      assert.equal(findSource({}, image({ labels })), undefined, JSON.stringify(labels));
  });
});

const RECIPE: BuildRecipe = { dockerfile: 'Dockerfile', buildArgs: {}, labels: {}, contexts: {}, locals: [] };
function provenance(parts: { repository?: Provenance['repository']; recipe?: Partial<BuildRecipe> }): Provenance {
  const stated = { digest, attachedBy: 'index', predicateType: '', complete: true } as const;
  return {
    stated,
    images: [],
    ...(parts.repository === undefined ? {} : { repository: parts.repository }),
    ...(parts.recipe === undefined ? {} : { recipe: { ...RECIPE, ...parts.recipe } }),
  };
}
const repository = { git: 'https://provenance.example/x', ref: 'c'.repeat(40), subdir: 'app' };

describe('the source, with provenance', () => {
  it('is that of the request, then of the first provenance that names a repository, then of labels', () => {
    const labelled = image({ labels: named('https://label.example/x') });
    const all = [provenance({ recipe: { locals: ['context'] } }), provenance({ repository })];
    assert.equal(findSource({ source: { context: digest } }, labelled, all)?.evidence, 'request');
    assert.deepEqual(findSource({}, labelled, all), { location: repository, evidence: 'provenance' });
    assert.equal(findSource({}, labelled, all.slice(0, 1))?.evidence, 'label', 'a local folder is no reason not to look further');
  });

  it('is missing for a reason of its own', () => {
    assert.equal(whyNoSource([]).reason, 'no-source');
    assert.equal(whyNoSource([provenance({ recipe: {} })]).reason, 'no-source');
    const local = whyNoSource([provenance({ recipe: { locals: ['context', 'other'] } })]);
    assert.equal(local.reason, 'local-context');
    assert.match(local.detail, /context, other.*PUT \/v1\/contexts/);
    const archive = whyNoSource([provenance({ recipe: { archive: 'https://e.org/x.tar', locals: [] } })]);
    assert.equal(archive.reason, 'unsupported');
    assert.match(archive.detail, /https:\/\/e\.org\/x\.tar/);
  });
});

describe('findRecipe', () => {
  const attested = [
    provenance({ recipe: { dockerfile: 'a/Dockerfile', target: 'one', buildArgs: { A: '1', B: '1' }, labels: { l: '1' } } }),
  ];

  it('takes from the provenance what the request does not name, and says so', () => {
    assert.deepEqual(findRecipe({}, attested), {
      dockerfile: 'a/Dockerfile',
      target: 'one',
      buildArgs: { A: '1', B: '1' },
      labels: { l: '1' },
      contexts: {},
      origins: { dockerfile: 'provenance', target: 'provenance', buildArgs: ['A', 'B'] },
    });
    assert.deepEqual(findRecipe({}, []), { dockerfile: 'Dockerfile', buildArgs: {}, labels: {}, contexts: {}, origins: {} });
  });

  it('lets the request win, argument by argument', () => {
    const { dockerfile, target, buildArgs, origins } = findRecipe(
      { dockerfile: 'Dockerfile', target: 'two', buildArgs: { B: '2', C: '2' } },
      attested,
    );
    assert.deepEqual([dockerfile, target, buildArgs], ['Dockerfile', 'two', { A: '1', B: '2', C: '2' }]);
    assert.deepEqual(origins, { dockerfile: 'request', target: 'request', buildArgs: ['A'] });
  });
});

describe('compareDockerfiles', () => {
  const attested = (text: string): Provenance[] => [provenance({}), provenance({ recipe: { text: Buffer.from(text) } })];

  it('tells another Dockerfile with what was changed', () => {
    const source = Buffer.from('FROM a\nRUN one\n');
    assert.equal(compareDockerfiles('Dockerfile', source, attested('FROM a\nRUN one\n')), undefined);
    assert.equal(compareDockerfiles('Dockerfile', source, [provenance({ recipe: {} })]), undefined);
    assert.match(
      compareDockerfiles('Dockerfile', source, attested('FROM a\nRUN \u202eevil\n'))?.diff ?? '',
      /-RUN one\n\+RUN \\xe2\\x80\\xaeevil/,
    );
    assert.equal(compareDockerfiles('Dockerfile', source, attested('\0'))?.diff, undefined, 'no text has no diff');
  });
});
