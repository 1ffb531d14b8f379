import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { PackageURL } from 'packageurl-js';
import type { Bill } from '../../src/model/bill.ts';
import { digestOf } from '../../src/model/digest.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { judge } from '../../src/steps/judge.ts';
import { collectFiles, makeBill } from '../../src/steps/make-bill.ts';
import { writeCycloneDx } from '../../src/steps/write-cyclonedx.ts';
import { writeSpdx } from '../../src/steps/write-spdx.ts';
import { byproducts, change, honest, judgeInputs, PACKAGES, type Setting } from '../support/judge-inputs.ts';
import type { PackageSpec } from '../support/packaged-image.ts';
import { spdxFaults } from '../support/spdx.ts';

const cycloneDxFaults = (text: string): Promise<unknown> => new JsonStrictValidator(Version.v1dot6).validate(text);

function billOf(setting: Setting = {}, adapt: (inputs: ReturnType<typeof judgeInputs>) => void = () => undefined): Bill {
  const inputs = judgeInputs(setting);
  adapt(inputs);
  const { account, state } = judge(inputs);
  const statement = state(byproducts);
  const collected = collectFiles();
  for (const line of account) collected.add(line);
  return makeBill(digestOf(canonicalJson(statement)), statement, inputs.evidence, collected.files());
}

type Property = { name: string; value: string };
type Component = { name: string; type: string; version?: string; purl?: string; hashes?: { content: string }[]; properties: Property[] };
const componentsOf = (bill: Bill): Component[] => (JSON.parse(writeCycloneDx(bill)) as { components: Component[] }).components;
const values = ({ properties }: Component, name: string): string[] =>
  properties.filter((one) => one.name === `conforme:${name}`).map(({ value }) => value);

const HOSTILE: Setting = {
  published: change(honest(), {
    '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' },
    '/opt/"},{"evil\\x0a': { text: 'a', mode: 0o755 },
    '/opt/<script>alert(1)</script>&': { text: 'b', mode: 0o755 },
    [`/opt/${'x'.repeat(4000)}`]: { text: 'c', mode: 0o755 },
    '/opt/\u00e9\u4e2d\u{1f600}': { text: 'd', mode: 0o755 },
    '/opt/libcrypto.so.1.1': { text: 'e', magic: 'elf', claims: [{ name: 'openssl', version: '1.1.1w' }] },
    '/srv/node_modules/@types/node/package.json': { text: '{}', claims: [{ name: '@types/node', version: '24.1.0' }] },
    '/srv/"-1.0.dist-info/METADATA': 'x',
  }),
  unverified: ['passwd'],
};

describe('the bill of materials', () => {
  it('says by whom a package was built again with the same bytes, where any were asked', async () => {
    const [A, B] = ['https://a.example', 'https://b.example'];
    const bill = billOf({}, ({ evidence }) => {
      const debs = evidence.packages.flatMap(({ chain }) => {
        const answers = [
          { rebuilder: A, outcome: 'reproduced' as const },
          { rebuilder: B, outcome: 'unavailable' as const },
        ];
        return chain === undefined ? [] : [{ deb: chain.deb, answers }];
      });
      evidence.rebuilders = { rebuilders: [A, B].map((url) => ({ url, keys: ['key'] })), atLeast: 1, debs };
    });
    const nginx = componentsOf(bill).find(({ name, type }) => name === 'nginx' && type === 'library');
    assert.ok(nginx);
    assert.deepEqual([values(nginx, 'reproduced'), values(nginx, 'reproduced-by')], [['1 of 2'], [A]]);
    assert.match(writeSpdx(bill), /Independent rebuilders made this \.deb from its source: 1 of 2\./);
    assert.deepEqual(
      [await cycloneDxFaults(writeCycloneDx(bill)), await spdxFaults(writeSpdx(bill))],
      [null, await spdxFaults(writeSpdx(billOf()))],
    );
    assert.doesNotMatch(writeCycloneDx(billOf()), /reproduced/);
  });

  it('says of each package how it was verified, and how many of its files are as signed', () => {
    const components = componentsOf(billOf(HOSTILE));
    const nginx = components.find(({ name, type }) => name === 'nginx' && type === 'library');
    assert.ok(nginx);
    assert.equal(nginx.version, '1.22.1-9');
    assert.deepEqual(nginx.hashes, [{ alg: 'SHA-256', content: digestOf('nginx 1.22.1-9 amd64').slice(7) }]);
    for (const [name, expected] of [
      ['status', ['verified']],
      ['archive', ['debian bookworm']],
      ['release-date', ['2026-01-01T00:00:00.000Z']],
      ['signer', ['A'.repeat(40)]],
      ['files-changed', ['1']],
      ['files-missing', ['0']],
      ['source', ['nginx']],
    ] as const)
      assert.deepEqual(values(nginx, name), expected, name);
    assert.ok(Number(values(nginx, 'files-equal')[0]) >= 5);
    const passwd = components.find(({ name }) => name === 'passwd');
    assert.ok(passwd);
    assert.deepEqual([values(passwd, 'status'), values(passwd, 'archive'), passwd.hashes], [['unverified-version'], [], undefined]);
  });

  it('says who built a package again, what record of its build there is, and why another one has no chain', () => {
    const bill = billOf({ unverified: ['passwd'] }, ({ evidence }) => {
      const [deb] = evidence.packages.flatMap(({ name, chain }) => (name === 'nginx' && chain !== undefined ? [chain.deb] : []));
      assert.ok(deb);
      const [a, b] = ['https://a.example', 'https://b.example'] as const;
      const answers = [{ rebuilder: a, outcome: 'reproduced' as const }, { rebuilder: b, outcome: 'not-reproduced' as const }]; // prettier-ignore
      evidence.rebuilders = { rebuilders: [a, b].map((url) => ({ url, keys: ['key'] })), atLeast: 1, debs: [{ deb, answers }] };
      evidence.buildinfos = { archive: 'https://pool.example', debs: [{ deb, buildinfo: digestOf('record') }] };
      for (const one of evidence.packages) if (one.name === 'passwd') one.unverified = 'snapshot-off';
    });
    const components = componentsOf(bill);
    const [nginx, passwd] = ['nginx', 'passwd'].map((wanted) => components.find(({ name }) => name === wanted));
    assert.ok(nginx !== undefined && passwd !== undefined);
    assert.deepEqual([values(nginx, 'reproduced'), values(nginx, 'buildinfo')], [['1 of 2'], [digestOf('record')]]);
    assert.deepEqual(values(passwd, 'unverified'), ['snapshot-off']);
    assert.match(writeSpdx(bill), /Independent rebuilders made this \.deb from its source: 1 of 2\./);
  });

  it('says of a package that no database names how it was found, and lists none of which conffiles alone are left', async () => {
    const tool: PackageSpec = { name: 'tool', state: 'found', files: { '/usr/bin/tool': { text: 'tool', mode: 0o755, magic: 'elf' }, '/usr/share/tool/data': 'data' } }; // prettier-ignore
    const gone: PackageSpec = { name: 'gone', state: 'config-files', files: { '/etc/gone.conf': 'gone' }, conffiles: ['/etc/gone.conf'] };
    const published = change(honest(), { '/usr/bin/tool': { text: 'tool', mode: 0o755, magic: 'elf' } });
    const bill = billOf({ published, packages: [...PACKAGES, tool, gone] });
    const components = componentsOf(bill);
    const found = components.find(({ name }) => name === 'tool');
    assert.ok(found !== undefined);
    assert.deepEqual(['state', 'files-equal', 'files-missing'].map((name) => values(found, name)[0]), ['found', '1', '0']); // prettier-ignore
    assert.match(
      writeSpdx(bill),
      /No package database of the image names it: it was found by the hashes of its files\. Of its files the image holds 1 as signed\./,
    );
    assert.equal(components.some(({ name }) => name === 'gone'), false); // prettier-ignore
    assert.equal(await cycloneDxFaults(writeCycloneDx(bill)), null);
  });

  it('keeps a package for which nothing vouches apart from the same one that was found', () => {
    const bill = billOf({ unverified: ['passwd'] }, ({ evidence }) => {
      const one = evidence.packages.find(({ name }) => name === 'passwd');
      assert.ok(one !== undefined);
      one.unverified = 'not-found';
      const { chain } = evidence.packages.find(({ name }) => name === 'nginx') ?? {};
      assert.ok(chain !== undefined);
      const { unverified: _, ...known } = one;
      evidence.packages.push({ ...known, state: 'found', status: 'verified', chain: { ...chain, deb: digestOf('passwd found') } });
    });
    const both = componentsOf(bill).filter(({ name }) => name === 'passwd');
    assert.deepEqual(both.map((one) => values(one, 'unverified')), [['not-found'], []]); // prettier-ignore
  });

  it('names code that no package accounts for, with its attribution, and no file of a package', () => {
    const files = componentsOf(billOf(HOSTILE)).filter(({ type }) => type === 'file');
    const byName = new Map(files.map((file) => [file.name, values(file, 'attribution')[0]]));
    assert.equal(byName.get('/usr/local/bin/run.sh'), 'source');
    assert.equal(byName.get('/usr/sbin/nginx'), 'unexplained');
    assert.equal(byName.get('/opt/<script>alert(1)</script>&'), 'unexplained');
    assert.equal(byName.has('/usr/bin/python3'), false);
    assert.equal(byName.has('/srv/page.html'), false);
    assert.equal(files[0] === undefined ? '' : values(files[0], 'attribution')[0], 'unexplained');
  });

  it('holds the copies of libraries, as what they claim to be', () => {
    const components = componentsOf(billOf(HOSTILE));
    const copy = components.find(({ name }) => name === 'openssl');
    assert.ok(copy);
    assert.deepEqual(
      [copy.version, copy.purl, values(copy, 'bundled-path')],
      ['1.1.1w', 'pkg:generic/openssl@1.1.1w', ['/opt/libcrypto.so.1.1']],
    );
    assert.deepEqual(values(copy, 'recognised-by'), ['version-string', 'file-name']);
    const module = PackageURL.fromString(components.find(({ name }) => name === '@types/node')?.purl ?? '');
    assert.deepEqual([module.type, module.namespace, module.name, module.version], ['npm', '@types', 'node', '24.1.0']);
  });

  it('has purls that another implementation reads', () => {
    const bill = billOf({}, ({ evidence }) => {
      Object.assign(evidence.packages[1] ?? {}, { source: 'nginx-src', sourceVersion: '1.22' });
    });
    const text = writeCycloneDx(bill);
    const { metadata } = JSON.parse(text) as { metadata: { component: { purl: string } } };
    const image = PackageURL.fromString(metadata.component.purl);
    assert.deepEqual(
      [image.type, image.name, image.version, { ...image.qualifiers }],
      ['oci', 'web', bill.image.manifestDigest, { arch: 'amd64', repository_url: 'registry.example:5000/team/web', tag: '1.0' }],
    );
    for (const { name, version, purl } of bill.packages) {
      const read = PackageURL.fromString(purl);
      const upstream = name === 'nginx' ? { upstream: 'nginx-src@1.22' } : {};
      assert.deepEqual([read.type, read.namespace, read.name, read.version], ['deb', 'debian', name, version]);
      assert.deepEqual({ ...read.qualifiers }, { arch: 'amd64', distro: 'bookworm', ...upstream });
    }
  });
});

describe('as CycloneDX and as SPDX', () => {
  const cases: [what: string, bill: () => Bill][] = [
    ['an honest image', () => billOf()],
    ['one that was not rebuilt, with hostile names', () => billOf({ ...HOSTILE, rebuilt: false, source: false })],
    ['one with hostile names', () => billOf(HOSTILE)],
    ['one without packages', () => billOf({ packages: [], reinstalled: false })],
    ['one without a tag', () => billOf({}, (inputs) => void (inputs.image.reference = 'registry.example:5000/team/web'))],
    ['one whose time has no fractions', () => billOf({ rebuild: { finishedAt: '2026-01-02T10:00:00Z' } })],
  ];
  for (const [what, make] of cases)
    it(`${what} is valid`, async () => {
      assert.equal(await cycloneDxFaults(writeCycloneDx(make())), null);
      assert.deepEqual(await spdxFaults(writeSpdx(make())), []);
    });

  it('the validators do find faults', async () => {
    const bill = billOf();
    assert.notEqual(await cycloneDxFaults(writeCycloneDx(bill).replace('"library"', '"librarian"')), null);
    assert.notDeepEqual(await spdxFaults(writeSpdx(bill).replace('SPDXRef-package-0"', 'SPDXRef package"')), []);
  });

  it('the same verdict gives the same bytes, another one another name', () => {
    for (const write of [writeCycloneDx, writeSpdx]) {
      assert.equal(write(billOf(HOSTILE)), write(billOf(HOSTILE)));
      const { serialNumber, documentNamespace } = JSON.parse(write(billOf())) as Record<string, string>;
      const other = JSON.parse(write(billOf(HOSTILE))) as Record<string, string>;
      assert.notEqual(serialNumber ?? documentNamespace, other['serialNumber'] ?? other['documentNamespace']);
    }
    assert.match(writeCycloneDx(billOf()), /"serialNumber":"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"/);
  });

  it('of 400 packages and more files than anybody reads stays small', () => {
    const packages = [...PACKAGES, ...Array.from({ length: 400 }, (_one, index) => ({ name: `lib${index}`, version: '1.2.3-4+deb12u1' }))];
    assert.ok(writeCycloneDx(billOf({ packages })).length < 600_000);
    assert.ok(writeSpdx(billOf({ packages })).length < 800_000);
    const many = Object.fromEntries(Array.from({ length: 9000 }, (_one, index) => [`/opt/${index}.js`, `${index}`]));
    const bill = billOf({ published: change(honest(), { ...many, '/srv/strange': 'data' }) });
    assert.equal(bill.files.length, 2000);
    assert.equal(bill.filesOmitted, 9000 + 1 + 1 - 2000, 'with run.sh and the strange file');
    assert.ok(writeSpdx(bill).length < 3_000_000);
  });
});
