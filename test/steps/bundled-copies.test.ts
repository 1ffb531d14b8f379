import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BundledCopy } from '../../src/model/copies.ts';
import type { DebianEvidence } from '../../src/model/debian.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { Claim, HiddenEntry } from '../../src/model/inventory.ts';
import { judge } from '../../src/steps/judge.ts';
import { libraryOfStem, libraryStem, makeCounterpart } from '../../src/steps/known-libraries.ts';
import { byproducts, change, type Files, honest, judgeInputs, PACKAGES, reinstalledFiles, type Setting } from '../support/judge-inputs.ts';
import type { FileSpec, PackageSpec } from '../support/packaged-image.ts';

const BODY = 'x'.repeat(5000);
const elf = (text: string, claims?: Claim[]): FileSpec => ({ text, magic: 'elf', ...(claims === undefined ? {} : { claims }) });
const OPENSSL: PackageSpec = {
  name: 'libssl3',
  version: '3.0.17-1~deb12u2',
  files: { '/usr/lib/libssl.so.3': elf(`ssl${BODY}`), '/usr/lib/libshim.so.1': elf('shim') },
};
const ZLIB: PackageSpec = { name: 'zlib1g', version: '1:1.2.13.dfsg-1', files: { '/usr/lib/libz.so.1': elf(`z${BODY}`) } };
const MORE: Files = { ...OPENSSL.files, ...ZLIB.files };
const SOURCES: Record<string, string> = { libssl3: 'openssl', zlib1g: 'zlib' };

function judged(changes: Record<string, FileSpec | undefined>, setting: Setting = {}) {
  const inputs = judgeInputs({
    packages: [...PACKAGES, OPENSSL, ZLIB],
    published: change({ ...honest(), ...MORE }, changes),
    rebuilt: { ...honest('2'), ...MORE },
    reinstalled: { ...reinstalledFiles(), ...MORE },
    ...setting,
  });
  for (const one of inputs.evidence.packages) one.source = SOURCES[one.name] ?? one.source;
  const { verdict, state, account } = judge(inputs);
  const { copies } = state(byproducts).predicate;
  return { verdict, account, copies: copies?.listed ?? [], total: copies?.total };
}
const brief = ({ name, version, recognisedBy, debian }: BundledCopy): string =>
  `${name} ${version ?? '-'} ${recognisedBy.join('+')}${debian === undefined ? '' : ` (${debian.version}${debian.older ? ', older' : ''})`}`;

const rows: [what: string, path: string, spec: FileSpec, expected: string[]][] = [
  ['exactly Debian’s file elsewhere', '/opt/app/ssl.so', elf(`ssl${BODY}`), ['libssl3 3.0.17-1~deb12u2 same-bytes']],
  ['a shim that is equal to a packaged one', '/opt/app/shim', elf('shim'), []],
  [
    'an older OpenSSL in a wheel',
    '/srv/venv/x.libs/libcrypto-1a2b3c4d.so.1.1',
    elf('a', [{ name: 'openssl', version: '1.1.1w' }]),
    ['openssl 1.1.1w version-string+file-name (3.0.17-1~deb12u2, older)'],
  ],
  [
    'as new as Debian’s',
    '/opt/libcrypto.so.3',
    elf('a', [{ name: 'openssl', version: '3.0.17' }]),
    ['openssl 3.0.17 version-string+file-name (3.0.17-1~deb12u2)'],
  ],
  [
    'a static program that brings several',
    '/opt/node',
    elf('a', [
      { name: 'openssl', version: '3.0.15' },
      { name: 'zlib', version: '1.3.1' },
    ]),
    ['openssl 3.0.15 version-string (3.0.17-1~deb12u2, older)', 'zlib 1.3.1 version-string (1:1.2.13.dfsg-1)'],
  ],
  ['by its name alone', '/opt/lib/libz.so.1.2.11', elf('a'), ['zlib - file-name (1:1.2.13.dfsg-1)']],
  ['another library of a wheel', '/srv/venv/x.libs/libodd-0a0b0c0d.so.5', elf('a'), ['libodd - file-name']],
  ['the application’s own library', '/opt/app/libapp.so', elf('a'), []],
  ['a name without the bytes of a program', '/opt/lib/libz.so.1', 'text', []],
  ['a Python package', '/srv/venv/lib/python3.11/site-packages/Jinja2-3.1.2.dist-info/METADATA', 'Name: other', ['jinja2 3.1.2 metadata']],
  ['an older one', '/usr/lib/python3/dist-packages/six-1.16.0.egg-info', 'x', ['six 1.16.0 metadata']],
  ['a gem', '/var/lib/gems/3.1.0/specifications/rack-2.2.6.gemspec', 'x', ['rack 2.2.6 metadata']],
  [
    'a module of Node.js',
    '/srv/node_modules/@types/node/package.json',
    { text: '{}', claims: [{ name: '@types/node', version: '24.1.0' }] },
    ['@types/node 24.1.0 metadata'],
  ],
  ['a packaged library', '/usr/lib/libz.so.1', elf(`z${BODY}`, [{ name: 'zlib', version: '1.2.13' }]), []],
  ['a packaged library with other bytes has its own finding', '/usr/lib/libz.so.1', elf('evil', [{ name: 'zlib', version: '1.2.13' }]), []],
];

test('copies of libraries are told with what they were recognised by', () => {
  for (const [what, path, spec, expected] of rows) assert.deepEqual(judged({ [path]: spec }).copies.map(brief), expected, what);
});

test('files of a package that no archive vouches for are no copies', () => {
  const setting: Setting = {
    unverified: ['libssl3'],
    published: { ...honest(), ...MORE, '/opt/libssl.so.3': elf('other') },
    rebuilt: false,
  };
  assert.deepEqual(
    judged({}, setting).copies.map(({ path }) => path),
    ['/opt/libssl.so.3'],
  );
});

test('recognising a file excuses nothing', () => {
  for (const [what, path, spec] of rows.slice(0, 7)) {
    const { account, verdict } = judged({ [path]: spec });
    assert.equal(account.find((line) => line.path === path)?.attribution, 'unexplained', what);
    assert.notEqual(verdict.auditable, 'yes', what);
  }
  // A file that only says that it is Debian's, byte for byte another one.
  const { account, verdict } = judged({ '/usr/lib/libssl.so.3': elf('evil', [{ name: 'openssl', version: '3.0.17' }]) });
  assert.equal(account.find(({ path }) => path === '/usr/lib/libssl.so.3')?.attribution, 'unexplained');
  assert.equal(verdict.auditable, 'no');
});

test('one finding for copies older than Debian’s, one for the others, one for hidden ones, one for modules', () => {
  const hidden = (path: string, more: Partial<HiddenEntry>): HiddenEntry => ({
    path,
    layer: 0,
    hiddenBy: 1,
    how: 'whiteout',
    kind: 'file',
    size: 1,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    digest: digestOf(path),
    ...more,
  });
  const { verdict, copies } = judged(
    {
      '/opt/a/libcrypto.so.1.1': elf('a', [{ name: 'openssl', version: '1.1.1w' }]),
      '/opt/b/libz.so.1': elf('b', [{ name: 'zlib', version: '1.3.1' }]),
      '/srv/x-1.0.dist-info/METADATA': 'x',
    },
    {
      hidden: [
        hidden('/opt/old/libssl.so.3', { magic: 'elf' }),
        hidden('/usr/lib/libssl.so.3', { magic: 'elf', how: 'replaced' }),
        hidden('/usr/lib/libz.so.1', { magic: 'elf', how: 'replaced', digest: digestOf(`z${BODY}`) }),
        hidden('/tmp/text', {}),
      ],
    },
  );
  const told = verdict.findings.filter(({ code }) => code === 'bundled-library');
  assert.deepEqual(
    told.map(({ severity, message, paths }) => [severity, message, paths]),
    [
      [
        'medium',
        "1 copy of libraries outside of Debian's packages, older than the one that Debian's packages bring",
        ['/opt/a/libcrypto.so.1.1'],
      ],
      ['low', "1 copy of libraries outside of Debian's packages", ['/opt/b/libz.so.1']],
      [
        'info',
        '2 copies of libraries in lower layers that the final image does not show',
        ['/opt/old/libssl.so.3', '/usr/lib/libssl.so.3'],
      ],
      ['info', '1 module of other package managers', ['/srv/x-1.0.dist-info/METADATA']],
    ],
  );
  assert.deepEqual(Object.values(told[0]?.evidence ?? {}), [
    "openssl 1.1.1w, by version-string and file-name; Debian's package has 3.0.17-1~deb12u2",
  ]);
  assert.deepEqual(copies.find(({ path }) => path === '/opt/old/libssl.so.3')?.hidden, { hiddenBy: 1, how: 'whiteout' });
  assert.equal(copies.at(-1)?.purl, 'pkg:pypi/x@1.0');
});

test('an image full of copies gives a statement of bounded size', () => {
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_one, index) => [`/srv/p${index}-1.0.dist-info/METADATA`, `${index}`]));
  const { copies, total } = judged(many);
  assert.deepEqual([copies.length, total], [1000, 3000]);
});

test('stems of libraries', () => {
  const table: [fileName: string, stem: string | undefined, library: string | undefined][] = [
    ['libcrypto.so.3', 'libcrypto', 'openssl'],
    ['libssl-1a2b3c4d.so.1.1', 'libssl', 'openssl'],
    ['libz-dd453c56.so.1.2.11', 'libz', 'zlib'],
    ['libopenblas64_p-r0-cecebdce.3.21.so', 'libopenblas64_p-r0', 'openblas'],
    ['libc-2.36.so', 'libc', 'glibc'],
    ['libstdc++.so.6.0.30', 'libstdc++', 'gcc'],
    ['libzip.so.4', 'libzip', undefined],
    ['module.so', undefined, undefined],
    ['libz.so.txt', undefined, undefined],
    [`lib${'a-'.repeat(3000)}.so`, undefined, undefined],
  ];
  for (const [fileName, stem, library] of table) {
    assert.equal(libraryStem(fileName), stem, fileName);
    assert.equal(stem === undefined ? undefined : libraryOfStem(stem), library, fileName);
  }
});

test('Debian’s own package of the same, and which is older', () => {
  const one = (name: string, source: string, version: string): DebianEvidence['packages'][number] => ({
    name,
    source,
    version,
    sourceVersion: version,
    architecture: 'amd64',
    state: 'installed',
    purl: name,
    status: 'verified',
  });
  const counterpart = makeCounterpart([
    one('libssl3', 'openssl', '3.0.17-1~deb12u2'),
    one('libcurl4', 'curl', '7.88.1-10'),
    one('python3-jinja2', 'jinja2', '3.1.2-1'),
    one('node-left-pad', 'node-left-pad', '1.3.0+ds1-1'),
    one('ruby-rack', 'ruby-rack', '2.2.6.4-1'),
    { ...one('zlib1g', 'zlib', '1:1.2.13'), state: 'config-files' },
  ]);
  const table: [copy: Parameters<typeof counterpart>[0], expected: string | undefined][] = [
    [{ kind: 'library', name: 'openssl', version: '3.0.9' }, 'libssl3 older'],
    [{ kind: 'library', name: 'openssl', version: '3.0.17' }, 'libssl3'],
    [{ kind: 'library', name: 'openssl', version: '3.0.100' }, 'libssl3'],
    [{ kind: 'library', name: 'openssl' }, 'libssl3'],
    [{ kind: 'library', name: 'curl', version: '\u202e1' }, 'libcurl4'],
    [{ kind: 'library', name: 'zlib', version: '1.0' }, undefined],
    [{ kind: 'library', name: 'jinja2', version: '1.0' }, undefined],
    [{ kind: 'library', name: '__proto__' }, undefined],
    [{ kind: 'python', name: 'Jinja2', version: '2.0' }, 'python3-jinja2 older'],
    [{ kind: 'node', name: 'left-pad', version: '1.3.0' }, 'node-left-pad'],
    [{ kind: 'ruby', name: 'rack', version: '2.2.6' }, 'ruby-rack older'],
  ];
  for (const [copy, expected] of table) {
    const found = counterpart(copy);
    assert.equal(found === undefined ? undefined : `${found.found.name}${found.older ? ' older' : ''}`, expected, JSON.stringify(copy));
  }
});
