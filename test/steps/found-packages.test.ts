import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { OtherBytes } from '../../src/model/hash-search.ts';
import type { AccountLine, Finding } from '../../src/model/verdict.ts';
import { foundFiles } from '../../src/steps/found-packages.ts';
import { judge } from '../../src/steps/judge.ts';
import { change, type Files, honest, judgeInputs, PACKAGES } from '../support/judge-inputs.ts';
import { type FileSpec, imageOf, packageOf, type PackageSpec } from '../support/packaged-image.ts';

const program = (text: string, more: Partial<Exclude<FileSpec, string>> = {}): FileSpec => ({ text, mode: 0o755, magic: 'elf', ...more });

/** A package that no database names. */
const TOOL: PackageSpec = {
  name: 'tool',
  state: 'found',
  files: {
    '/bin/tool': program('tool'),
    '/usr/lib/x86_64-linux-gnu/libtool.so.1': { link: 'libtool.so.1.2' },
    '/usr/lib/x86_64-linux-gnu/libtool.so.1.2': { text: 'library', magic: 'elf' },
    '/usr/share/tool/data': 'data',
    '/usr/sbin/nginx': program('the tool’s nginx'),
  },
};
const TOOL_PURL = packageOf(TOOL).evidence.purl;

function judged(files: Files, options: { packages?: PackageSpec[]; others?: OtherBytes[]; skipped?: number; rebuilt?: Files } = {}) {
  const { packages = [TOOL], others = [], skipped = 0, rebuilt = false } = options;
  const inputs = judgeInputs({ published: files, packages, rebuilt, reinstalled: packages.length > 1 ? honest() : false, source: false });
  inputs.evidence.applies = packages.length > 1;
  inputs.evidence.search = { searched: 5, found: 4, others, unread: [], skipped, ...(skipped === 0 ? {} : { reason: 'a limit' }) };
  const { account, verdict } = judge(inputs);
  return {
    verdict,
    line: (path: string): AccountLine => account.find((one) => one.path === path)!,
    finding: (code: string): Finding | undefined => verdict.findings.find((one) => one.code === code),
  };
}

const LEFTOVER: Files = {
  '/usr': { dir: true },
  '/usr/bin': { dir: true },
  '/usr/lib': { dir: true },
  '/usr/lib/x86_64-linux-gnu': { dir: true },
  '/usr/bin/tool': program('tool'),
  '/usr/lib/x86_64-linux-gnu/libtool.so.1': { link: 'libtool.so.1.2' },
  '/usr/lib/x86_64-linux-gnu/libtool.so.1.2': { text: 'library', magic: 'elf' },
};

test('files of a package that no database names are official by its .deb, and nothing of it is missed', () => {
  const { line, finding, verdict } = judged(LEFTOVER);
  for (const [path, spec] of Object.entries(LEFTOVER))
    assert.equal(line(path).attribution, typeof spec === 'object' && spec.dir ? 'debian-generated' : 'debian-official', path);
  const { package: purl, deb, rule } = line('/usr/bin/tool').evidence;
  assert.deepEqual([purl, deb, rule], [TOOL_PURL, packageOf(TOOL).contents.deb, 'found-by-hash@1']);
  const told = finding('package-found-by-hash');
  assert.deepEqual([told?.severity, told?.evidence], ['info', { 'tool 1': '3 files' }]);
  assert.equal(finding('packaged-file-missing'), undefined);
  assert.equal(verdict.auditable, 'yes');
});

// Each is what an attacker would gain from files that are looked up wherever they lie and however they are.
const ATTACKS: [what: string, path: string, spec: FileSpec, note: RegExp, critical?: string][] = [
  ['a setuid bit', '/usr/bin/tool', program('tool', { mode: 0o4755 }), /bytes are those of tool 1, .* another mode/, 'setuid-unexpected'],
  ['another owner', '/usr/bin/tool', program('tool', { uid: 1000 }), /another owner/],
  ['a capability', '/usr/bin/tool', program('tool', { xattrs: { 'security.capability': 'AQ==' } }), /another xattrs/, 'capability-unexpected'],
  ['the right bytes at another path', '/usr/bin/ls', program('tool'), /no verified package holds it/],
  ['the right bytes at another path of the package', '/usr/sbin/nginx', program('tool'), /no verified package holds it/],
  ['the right name in /usr/local', '/usr/local/bin/tool', program('tool'), /no verified package holds it/],
  ['other bytes', '/usr/bin/tool', program('evil'), /tool 1 of the archive has other bytes here, and no verified database says/],
  ['a link that leads elsewhere', '/usr/lib/x86_64-linux-gnu/libtool.so.1', { link: '/tmp/evil.so' }, /no verified package holds it/],
  ['a link for the program', '/usr/bin/tool', { link: '/tmp/evil' }, /no verified package holds it|other bytes/],
]; // prettier-ignore

for (const [what, path, spec, note, critical] of ATTACKS) {
  test(`${what} is not excused`, () => {
    const others = [{ path: '/usr/bin/tool', package: TOOL_PURL, deb: packageOf(TOOL).contents.deb, expected: digestOf('tool') }];
    const tried = judged({ ...LEFTOVER, '/usr/sbin': { dir: true }, [path]: spec }, /other bytes/.test(note.source) ? { others } : {});
    assert.equal(tried.line(path).attribution, 'unexplained');
    assert.match(tried.line(path).evidence.note ?? '', note);
    assert.notEqual(tried.verdict.auditable, 'yes');
    assert.equal(tried.finding('packaged-file-replaced'), undefined, 'no database says that this version is installed');
    if (critical !== undefined) assert.equal(tried.finding(critical)?.severity, 'critical');
    if (tried.line(path).code) assert.equal(tried.finding(critical ?? 'unexplained-code')?.paths.includes(path), true);
  });
}

test('a found package explains nothing that an installed one holds: its replaced program stays critical', () => {
  const files = change(honest(), { '/usr/sbin/nginx': program('the tool’s nginx'), '/usr/bin/tool': program('tool') });
  const { line, finding, verdict } = judged(files, { packages: [...PACKAGES, TOOL] });
  assert.deepEqual(finding('packaged-file-replaced')?.paths, ['/usr/sbin/nginx']);
  assert.equal(line('/usr/sbin/nginx').attribution, 'unexplained');
  assert.equal(line('/usr/bin/tool').attribution, 'debian-official');
  assert.equal(finding('package-found-by-hash')?.severity, 'low', 'beside a database it is somebody’s choice');
  assert.equal(verdict.auditable, 'no');
});

test('what the database diverts leaves its place to no found package', () => {
  const { evidence, contents } = packageOf(TOOL);
  const entries = imageOf(LEFTOVER).inventory.entries;
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const explained = (divertedFrom?: string) =>
    new Map([['/usr/bin/tool.real', { expected: divertedFrom === undefined ? {} : { divertedFrom } }]]);
  const found = (divertedFrom?: string) => foundFiles([{ evidence, contents }], byPath, (path) => path, explained(divertedFrom)).has('/usr/bin/tool'); // prettier-ignore
  assert.deepEqual([found(), found('/bin/other'), found('/bin/tool'), found('/usr/bin/tool')], [true, true, false, false]);
});

test('a package that was only looked into is named by name and version', () => {
  const others = [{ path: '/usr/bin/other', package: 'pkg:deb/debian/g%2B%2B@1:2%2Bb1?arch=amd64', deb: digestOf('deb'), expected: '' }];
  const { line } = judged({ ...LEFTOVER, '/usr/bin/other': program('other') }, { others });
  assert.match(line('/usr/bin/other').evidence.note ?? '', /^g\+\+ 1:2\+b1 of the archive has other bytes here/);
});

test('what was not looked up is said', () => {
  assert.match(judged(LEFTOVER, { skipped: 7 }).finding('package-found-by-hash')?.message ?? '', /7 files more not looked up: a limit/);
});

test('the statement tells a found package from an installed one', () => {
  const inputs = judgeInputs({ packages: [...PACKAGES, TOOL] });
  const { packages } = judge(inputs).state({ published: digestOf(''), evidence: digestOf(''), account: digestOf(''), differences: digestOf('') }).predicate; // prettier-ignore
  assert.deepEqual(packages.filter(({ found }) => found === true).map(({ purl }) => purl), [TOOL_PURL]); // prettier-ignore
});
