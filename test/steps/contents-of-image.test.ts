import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { HiddenEntry } from '../../src/model/inventory.ts';
import { contentsOfImage } from '../../src/steps/contents-of-image.ts';
import { judge } from '../../src/steps/judge.ts';
import { packagesOfVerdict } from '../../src/steps/packages-of-verdict.ts';
import { change, honest, judgeInputs, PACKAGES, type Setting } from '../support/judge-inputs.ts';

function contents(setting: Setting) {
  const inputs = judgeInputs(setting);
  const { account } = judge(inputs);
  const packages = packagesOfVerdict(inputs.evidence, inputs.published, account);
  const made = contentsOfImage({ ...inputs.evidence, release: 'bookworm' }, inputs.published, account, packages, () => 7);
  const setOf = (name: string) => made.packages.get(packages.findIndex((one) => one.name === name));
  const placesOf = (text: string) => [
    ...[...made.packages].flatMap(([index, { files }]) =>
      files.filter(({ digest }) => digest === digestOf(text)).map(({ path }) => `${packages[index]?.name} ${path}`),
    ),
    ...made.files.flatMap(({ layer, hidden, set }) =>
      set.files.filter(({ digest }) => digest === digestOf(text)).map(({ path }) => `${layer} ${hidden ? 'hidden ' : ''}${path}`),
    ),
  ];
  return { made, setOf, placesOf, account };
}

test('every file of the image is in a set, each byte string once, the empty one never', () => {
  const { made, account } = contents({ published: change(honest(), { '/srv/empty': '' }) });
  const sets = [...made.packages.values(), ...made.files.map(({ set }) => set)];
  const held = sets.flatMap(({ files }) => files);
  assert.deepEqual(
    new Set(held.map(({ digest }) => digest)),
    new Set(account.filter(({ kind, size }) => kind === 'file' && size > 0).map(({ digest }) => digest)),
  );
  assert.deepEqual([made.release, made.layers.map(({ line }) => line)], ['bookworm', [7]]);
});

test('the same packages make the same sets in another image; a replaced file is in none of them', () => {
  const one = contents({});
  const other = contents({ published: change(honest(), { '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' } }) });
  assert.deepEqual(one.setOf('passwd'), other.setOf('passwd'));
  assert.notEqual(one.setOf('nginx')?.digest, other.setOf('nginx')?.digest);
  assert.deepEqual(one.placesOf('nginx'), ['nginx /usr/sbin/nginx']);
  assert.deepEqual(other.placesOf('nginx'), [], 'what Debian signed is not what the image holds');
  assert.deepEqual(other.placesOf('evil'), ['0 /usr/sbin/nginx']);
});

test('whatever state a database claims, a package that is there is named, and so is one that no database names', () => {
  const tool = { text: 'tool', mode: 0o755, magic: 'elf' } as const;
  const inputs = judgeInputs({
    published: change(honest(), { '/usr/bin/tool': tool }),
    packages: [
      ...PACKAGES.map((one) => (one.name === 'nginx' ? { ...one, state: 'unpacked' } : one)),
      { name: 'tool', state: 'found', files: { '/usr/bin/tool': tool } },
      { name: 'gone', state: 'config-files' },
    ],
  });
  const packages = packagesOfVerdict(inputs.evidence, inputs.published, judge(inputs).account);
  const layers = packages.filter(({ name }) => ['nginx', 'tool', 'gone'].includes(name)).map(({ name, layer }) => [name, layer]);
  assert.deepEqual(layers, [['nginx', 0], ['tool', 0]]); // prettier-ignore
});

test('what a later layer took away is found, and said to be hidden', () => {
  const hidden: HiddenEntry = { kind: 'file', path: '/root/key', layer: 0, hiddenBy: 1, how: 'whiteout', size: 6, digest: digestOf('secret'), mode: 0o600, uid: 0, gid: 0, mtime: 0 }; // prettier-ignore
  assert.deepEqual(contents({ hidden: [hidden] }).placesOf('secret'), ['0 hidden /root/key']);
});
