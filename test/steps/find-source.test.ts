import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResolvedImage } from '../../src/model/oci.ts';
import { findSource } from '../../src/steps/find-source.ts';

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
