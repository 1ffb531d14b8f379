import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Descriptor, Platform } from '../../src/model/oci.ts';
import { choosePlatform, formatPlatform } from '../../src/model/platform.ts';

const platform = (text: string): Platform => {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant && { variant }) };
};
const index = (offered: string[]) => ({
  mediaType: '',
  manifests: offered.map((text, at): Descriptor => {
    const [name = '', annotation] = text.split(' ');
    return {
      mediaType: '',
      digest: `sha256:${String(at).padStart(64, '0')}`,
      size: at,
      ...(name && { platform: platform(name) }),
      ...(annotation && { annotations: { 'vnd.docker.reference.type': annotation } }),
    };
  }),
});

/** What is wanted, what is offered, and which of it is chosen. */
const cases: [string, string[], number | undefined][] = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
  ['linux/amd64', ['linux/amd64', 'linux/amd64'], 0],
  ['linux/amd64', ['windows/amd64'], undefined],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 1],
  ['linux/amd64', ['linux/amd64/v3'], undefined],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 1],
  ['linux/arm64', ['linux/arm64/v8'], 0],
  ['linux/arm64/v8', ['linux/arm64'], 0],
  ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 1],
  ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 1],
  ['linux/arm/v7', ['linux/arm/v8'], undefined],
  ['linux/riscv64', ['linux/riscv64'], 0],
  ['unknown/unknown', ['unknown/unknown'], undefined],
  ['linux/amd64', ['linux/amd64 attestation-manifest', 'linux/amd64'], 1],
  ['linux/amd64', [''], undefined],
];
for (const [wanted, offered, chosen] of cases) {
  it(`chooses ${chosen === undefined ? 'nothing' : `entry ${chosen}`} of ${offered.join(', ') || 'none'} for ${wanted}`, () => {
    assert.equal(choosePlatform(index(offered), platform(wanted))?.size, chosen);
    assert.equal(formatPlatform(platform(wanted)), wanted);
  });
}
