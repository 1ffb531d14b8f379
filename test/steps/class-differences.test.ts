import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Difference } from '../../src/model/verdict.ts';
import { judge } from '../../src/steps/judge.ts';
import { answer } from '../support/answer.ts';
import { byproducts, change, CONFIG, honest, judgeInputs, type Setting } from '../support/judge-inputs.ts';
import type { FileSpec } from '../support/packaged-image.ts';

type Change = Record<string, FileSpec | undefined>;
type Sides = { published?: Change; rebuilt?: Change; again?: Change | 'none' };

/** One thing different on each side of the honest image. */
function setting({ published = {}, rebuilt = {}, again = {} }: Sides, more: Setting = {}): Setting {
  return {
    published: change(honest(), published),
    rebuilt: change(honest('2'), rebuilt),
    ...(again === 'none' ? {} : { rebuiltAgain: change(honest('3'), again) }),
    ...more,
  };
}

const differenceAt = (path: string, sides: Sides, more: Setting = {}): Difference | undefined =>
  judge(judgeInputs(setting(sides, more))).differences.find((one) => one.path === path);

const elf = (text: string, facts: object = {}): FileSpec => ({ text, mode: 0o755, magic: 'elf', ...facts });

test('each difference has the class that our own two builds show', () => {
  const at = '/srv/stamp';
  type Row = [name: string, sides: Sides, class_: string | undefined, cause?: string, path?: string, more?: Setting];
  const rows: Row[] = [
    ['another each time', { published: { [at]: 'a' }, rebuilt: { [at]: 'b' }, again: { [at]: 'c' } }, 'varies'],
    ['the same in ours', { published: { [at]: 'a' }, rebuilt: { [at]: 'b' }, again: { [at]: 'b' } }, 'same'],
    ['built once', { published: { [at]: 'a' }, rebuilt: { [at]: 'b' }, again: 'none' }, 'unrepeated'],
    ['as the second makes it', { published: { [at]: 'a' }, rebuilt: { [at]: 'b' }, again: { [at]: 'a' } }, 'varies', 'second-rebuild'],
    ['one that no build makes', { published: { [at]: 'a' } }, 'same'],
    ['one that both builds make', { rebuilt: { [at]: 'a' }, again: { [at]: 'a' } }, 'same'],
    ['one that only one build makes', { rebuilt: { [at]: 'a' } }, 'varies', 'second-rebuild'],
    ['one with other bytes that only one makes', { published: { [at]: 'b' }, again: { [at]: 'a' } }, 'varies'],
    [
      'a setuid bit on what varies',
      { published: { [at]: elf('a', { mode: 0o4755 }) }, rebuilt: { [at]: elf('b') }, again: { [at]: elf('c') } },
      'same',
    ],
    ['an owner of what varies', { published: { [at]: { text: 'a', uid: 1 } }, rebuilt: { [at]: 'b' }, again: { [at]: 'c' } }, 'same'],
    [
      'a capability on what varies',
      {
        published: { [at]: elf('a', { xattrs: { 'security.capability': 'AQ==' } }) },
        rebuilt: { [at]: elf('b') },
        again: { [at]: elf('c') },
      },
      'same',
    ],
    ['a link in the place of what varies', { published: { [at]: { link: '/x' } }, rebuilt: { [at]: 'b' }, again: { [at]: 'c' } }, 'same'],
    ['a log', {}, 'noise', 'normalised', '/var/log/dpkg.log'],
    ['a label of the builder', {}, 'builder', 'normalised', 'config:Labels:io.buildah.version', { config: { ...CONFIG, Labels: { app: 'web', 'io.buildah.version': '1' } } }], // prettier-ignore
    ['what is started', {}, 'same', 'unknown', 'config:Cmd', { config: { ...CONFIG, Cmd: ['evil'] } }],
  ];
  for (const [name, sides, expected, cause = 'unknown', path = at, more = {}] of rows) {
    const found = differenceAt(path, sides, more);
    assert.deepEqual([found?.class, found?.cause], [expected, cause], name);
  }
});

test('drift of source and of packages is a class of its own', () => {
  const history = [{ path: 'page.html', text: 'old', commit: 'd'.repeat(40) }];
  assert.equal(differenceAt('/srv/page.html', { published: { '/srv/page.html': 'old' } }, { history })?.class, 'drift');
  const rebuilt = {
    '/usr/sbin/nginx': elf('nginx 10'),
    '/var/lib/dpkg/status': 'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-10\n',
    '/var/log/dpkg.log': '2026-01-03 10:00:00 install nginx:amd64 <none> 1.22.1-10\n',
  };
  const moved = (more: Setting): Difference | undefined => differenceAt('/usr/sbin/nginx', { rebuilt, again: rebuilt }, more);
  assert.deepEqual(
    [moved({})?.class, moved({})?.detail],
    ['drift', "nginx 1.22.1-9 → 1.22.1-10, the second by the rebuild's own database"],
  );
  const newer = { nginx: [{ version: '1.22.1-10', archive: 'debian bookworm' }] };
  assert.equal(moved({ newer })?.detail, 'nginx 1.22.1-9 → 1.22.1-10, both in signed suites');
});

test('base: only where the published image rests on other layers, and only below the steps', () => {
  const at = '/usr/lib/base-data';
  const layers = (sameBase: boolean, layer = 0): Difference | undefined => {
    const inputs = judgeInputs(setting({ published: { [at]: 'old' }, rebuilt: { [at]: 'new' }, again: 'none' }, { baseLayers: 1 }));
    const { published, rebuilt } = inputs;
    const [bottom] = published.layers;
    const [otherBottom] = rebuilt?.layers ?? [];
    assert.ok(bottom !== undefined && otherBottom !== undefined && rebuilt !== undefined);
    published.layers = [sameBase ? otherBottom : bottom, bottom];
    rebuilt.layers = [otherBottom, otherBottom];
    for (const entry of published.entries) if (entry.path === at) entry.layer = layer;
    return judge(inputs).differences.find(({ path }) => path === at);
  };
  assert.equal(layers(false)?.class, 'base');
  assert.equal(layers(true)?.class, 'same', 'on the very base that the rebuild used, which is pinned');
  assert.equal(layers(false, 1)?.class, 'same', 'a layer above the base');
});

test('what varies is not excused by that: programs and settings stay what they are', () => {
  const at = '/usr/local/bin/tool';
  const three = (path: string, make: (text: string) => FileSpec): Sides => ({
    published: { [path]: make('evil') },
    rebuilt: { [path]: make('one') },
    again: { [path]: make('two') },
  });
  type Row = [name: string, sides: Sides, result: string, auditable: string, ...codes: string[]];
  const rows: Row[] = [
    ['data', three('/srv/stamp', (text) => text), 'different', 'partly', 'low build-not-reproducible', 'low unexplained-file'],
    ['a program', three(at, (text) => elf(text)), 'suspicious', 'no', 'high unexplained-code', 'low build-not-reproducible'],
    [
      'a library without an x bit',
      three('/srv/libx.so', (text) => ({ text })),
      'suspicious',
      'no',
      'high unexplained-code',
      'low build-not-reproducible',
    ],
    [
      'a cron job',
      three('/etc/cron.d/x', (text) => `* * * * * root ${text}\n`),
      'suspicious',
      'partly',
      'high scheduled-job',
      'low build-not-reproducible',
    ],
    [
      'a packaged program',
      three('/usr/sbin/nginx', (text) => elf(text)),
      'suspicious',
      'no',
      'critical packaged-file-replaced',
      'low build-not-reproducible',
    ],
    [
      'a preloaded library',
      three('/etc/ld.so.preload', (text) => `/usr/lib/${text}.so\n`),
      'suspicious',
      'no',
      'critical preload-configured',
      'low build-not-reproducible',
    ],
  ];
  for (const [name, sides, result, auditable, ...codes] of rows) {
    assert.deepEqual(answer(setting(sides)), { result, auditable, codes: codes.sort() }, name);
  }
  const { verdict } = judge(judgeInputs(setting(three(at, (text) => elf(text)))));
  const finding = verdict.findings.find(({ code }) => code === 'unexplained-code');
  assert.equal(finding?.evidence['class'], 'varies');
  assert.match(finding?.message ?? '', /our own two rebuilds differ there as well/);
});

test('a program that the second rebuild makes as published is one that the build makes', () => {
  const at = '/usr/local/bin/tool';
  const inputs = judgeInputs(setting({ published: { [at]: elf('2') }, rebuilt: { [at]: elf('1') }, again: { [at]: elf('2') } }));
  const { verdict, account } = judge(inputs);
  assert.deepEqual([verdict.result, verdict.auditable], ['explained', 'partly']);
  assert.equal(account.find(({ path }) => path === at)?.attribution, 'rebuilt');
});

test('the statement holds the conditions of both builds, the classes, and the gravest first', () => {
  const sides = { published: { '/srv/a': 'x', '/srv/b': 'x' }, rebuilt: { '/srv/a': 'y' }, again: { '/srv/a': 'z' } };
  const inputs = judgeInputs(setting(sides));
  const { predicate } = judge(inputs).state(byproducts);
  assert.deepEqual(
    predicate.differences.listed.map((one) => [one.path, one.class]),
    [
      ['/srv/b', 'same'],
      ['/srv/a', 'varies'],
    ],
  );
  assert.deepEqual([predicate.differences.byClass?.varies, predicate.differences.byClass?.same], [1, 1]);
  const { second } = inputs.rebuild;
  assert.ok(second?.status === 'built');
  assert.deepEqual(predicate.rebuilds, { first: inputs.rebuild.conditions, second });
  assert.equal(predicate.byproducts.rebuiltAgain, second.inventory);
});

test('a second build that failed leaves the first one standing, and is told', () => {
  const conditions = { startedAt: '2026-01-02T09:59:00.000Z', hostName: 'localhost', processors: 2, storage: 'memory' as const };
  const failed = { rebuild: { conditions, second: { status: 'failed' as const, detail: 'timeout: it took longer\u001b[2J' } } };
  const { verdict, differences } = judge(judgeInputs(setting({ published: { '/srv/a': 'x' }, again: 'none' }, failed)));
  assert.equal(verdict.result, 'different');
  assert.equal(differences.find(({ path }) => path === '/srv/a')?.class, 'unrepeated');
  const finding = verdict.findings.find(({ code }) => code === 'second-rebuild-failed');
  assert.equal(finding?.message, 'the image was rebuilt once: timeout: it took longer\\x1b[2J');
});
