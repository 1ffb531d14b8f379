import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/model/digest.ts';
import { judge } from '../../../src/steps/judge.ts';
import { answer } from '../../support/answer.ts';
import { change, honest, judgeInputs } from '../../support/judge-inputs.ts';
import type { FileSpec } from '../../support/packaged-image.ts';

test('the source may replace a page of a package; a program never', () => {
  const page = { '/usr/share/nginx/html/index.html': '<h1>Mine</h1>' };
  const { verdict, account } = judge(judgeInputs({ published: change(honest(), page), rebuilt: change(honest('2'), page) }));
  assert.equal(account.find(({ path }) => path === '/usr/share/nginx/html/index.html')?.attribution, 'source');
  assert.equal(verdict.auditable, 'yes');
  assert.deepEqual(
    verdict.findings.map(({ code, severity }) => `${severity} ${code}`),
    ['medium packaged-file-replaced'],
  );
  const wrapper: Record<string, FileSpec> = { '/usr/sbin/nginx': { text: '#!/bin/sh\nexec nginx\n', mode: 0o755, magic: 'script' } };
  assert.equal(answer({ published: change(honest(), wrapper), rebuilt: change(honest('2'), wrapper) }).auditable, 'no');
});

const URL = 'https://example.org/tool.tar.gz';
const PIN = { path: 'Dockerfile', line: 3 };
const ARCHIVE = { url: URL, digest: digestOf('archive'), size: 7 };
const TOOL = { path: '/tool-1/bin/tool', digest: digestOf('tool'), size: 4 };
const withFiles = (files: Record<string, FileSpec>) => ({ published: change(honest(), files), rebuilt: change(honest('2'), files) });
const TOOL_FILE: FileSpec = { text: 'tool', mode: 0o755, magic: 'elf' };

test('downloads: pinned by the source they are accounted for, unpinned they are a finding', () => {
  const both = withFiles({ '/usr/local/bin/tool': TOOL_FILE });
  const itself = { url: 'https://example.org/tool', digest: digestOf('tool'), size: 4, members: [] };
  assert.deepEqual(answer({ ...both, downloads: [itself] }), {
    result: 'equivalent',
    auditable: 'partly',
    codes: ['high unverified-download', 'low rebuilt-code'],
  });
  const pinned = judge(judgeInputs({ ...both, downloads: [{ ...itself, pinned: PIN }] }));
  assert.deepEqual(pinned.account.find(({ path }) => path === '/usr/local/bin/tool')?.evidence, {
    url: 'https://example.org/tool',
    pinnedIn: 'Dockerfile',
    line: 3,
  });
  assert.equal(pinned.verdict.auditable, 'yes');
});

test('a member of a fetched archive is what the archive is: pinned or not', () => {
  const both = withFiles({ '/opt/tool-1/bin/tool': TOOL_FILE, '/usr/local/bin/tool': TOOL_FILE, '/opt/tool-1/doc': 'words' });
  const members = [TOOL, { path: '/tool-1/doc', digest: digestOf('words'), size: 5 }];
  const steps = [{ line: 7, instruction: 'RUN', text: `RUN wget -O- ${URL} | tar xz -C /opt`, stage: 0 }];
  const dockerfile = { path: 'Dockerfile', digest: digestOf('Dockerfile'), steps };
  const { verdict } = judge(judgeInputs({ ...both, downloads: [{ ...ARCHIVE, members }], rebuild: { dockerfile } }));
  const [finding, ...more] = verdict.findings.filter(({ code }) => code === 'unverified-download');
  assert.deepEqual(more, [], 'one for each download');
  assert.equal(finding?.message, `3 files came from ${URL}, and no digest in the source pins it`);
  assert.deepEqual([finding?.severity, finding?.line, finding?.evidence['url']], ['high', 7, URL]);

  const pinned = judge(judgeInputs({ ...both, downloads: [{ ...ARCHIVE, members, pinned: PIN }] }));
  assert.equal(pinned.verdict.auditable, 'yes');
  const line = pinned.account.find(({ path }) => path === '/opt/tool-1/bin/tool');
  assert.deepEqual([line?.attribution, line?.evidence], ['download', { url: URL, member: TOOL.path, pinnedIn: 'Dockerfile', line: 3 }]);
});

test('a pinned archive explains bytes, and neither rights nor places', () => {
  const downloads = [{ ...ARCHIVE, members: [TOOL], pinned: PIN }];
  const attributionOf = (path: string, spec: FileSpec, rebuilt: FileSpec | null = spec) => {
    const { published } = withFiles({ [path]: spec });
    const other = rebuilt === null ? honest('2') : change(honest('2'), { [path]: rebuilt });
    const { account, verdict } = judge(judgeInputs({ published, rebuilt: other, downloads }));
    const { severity } = verdict.findings.find(({ paths }) => paths.includes(path)) ?? {};
    return [account.find((one) => one.path === path)?.attribution, verdict.result, severity];
  };
  const place = '/usr/local/bin/tool';
  assert.deepEqual(attributionOf(place, TOOL_FILE), ['download', 'equivalent', undefined]);
  // Set-user-id and a capability, as the build itself makes them: no account but the rebuild.
  assert.equal(attributionOf(place, { text: 'tool', mode: 0o4755, magic: 'elf' })[0], 'rebuilt');
  const xattrs = { 'security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=' };
  assert.equal(attributionOf(place, { text: 'tool', mode: 0o755, magic: 'elf', xattrs })[0], 'rebuilt');
  // The same set in the published image alone.
  assert.deepEqual(attributionOf(place, { text: 'tool', mode: 0o4755, magic: 'elf' }, TOOL_FILE).slice(0, 2), [
    'unexplained',
    'suspicious',
  ]);
  // Where the build does not put it: over a program that the package has, or into a folder that is run from.
  assert.deepEqual(attributionOf('/usr/sbin/nginx', TOOL_FILE, { text: 'nginx', mode: 0o755, magic: 'elf' }).slice(0, 2), ['unexplained', 'suspicious']); // prettier-ignore
  assert.deepEqual(attributionOf('/etc/cron.d/tool', TOOL_FILE, null).slice(0, 2), ['unexplained', 'suspicious']);
  // Over the package's program by the build itself: still another file than Debian's.
  const replaced = attributionOf('/usr/sbin/nginx', TOOL_FILE);
  assert.deepEqual([replaced[0], replaced[2]], ['unexplained', 'critical']);
});

test('a pin of what is in an archive says nothing of the bytes around it', () => {
  const both = withFiles({
    '/usr/local/bin/tool': TOOL_FILE,
    '/usr/local/bin/unpacks-itself': { text: 'archive', mode: 0o755, magic: 'script' },
  });
  const { account, verdict } = judge(
    judgeInputs({ ...both, downloads: [{ ...ARCHIVE, members: [TOOL], pinned: PIN, pinsMembersOnly: true }] }),
  );
  const attributionOf = (path: string) => account.find((one) => one.path === path)?.attribution;
  assert.deepEqual(
    ['tool', 'unpacks-itself'].map((name) => attributionOf(`/usr/local/bin/${name}`)),
    ['download', 'rebuilt'],
  );
  assert.equal(verdict.auditable, 'partly');
  assert.ok(verdict.findings.some(({ code, paths }) => code === 'unverified-download' && paths.includes('/usr/local/bin/unpacks-itself')));
});

test('other bytes from the same address are not pinned by the digest of the first', () => {
  const evil: FileSpec = { text: 'evil', mode: 0o755, magic: 'elf' };
  const downloads = [
    { ...ARCHIVE, members: [TOOL], pinned: PIN },
    { url: URL, digest: digestOf('other archive'), size: 9, members: [{ ...TOOL, digest: digestOf('evil') }] },
  ];
  const { account, verdict } = judge(judgeInputs({ ...withFiles({ '/usr/local/bin/tool': evil }), downloads }));
  assert.equal(account.find(({ path }) => path === '/usr/local/bin/tool')?.attribution, 'rebuilt');
  assert.ok(verdict.findings.some(({ code, severity }) => code === 'unverified-download' && severity === 'high'));
  assert.equal(verdict.auditable, 'partly');
});
