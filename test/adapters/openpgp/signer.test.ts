import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { makeSigner } from '../../../src/adapters/openpgp/signer.ts';
import { Problem } from '../../../src/problem.ts';

/** Debian's gpg in a home of its own is the judge. */
async function gpg(home: string, ...parameters: string[]): Promise<{ ok: boolean; status: string }> {
  const fixed = ['--homedir', home, '--batch', '--no-autostart', '--trust-model', 'always', '--status-fd', '1'];
  try {
    const { stdout } = await promisify(execFile)('gpg', [...fixed, ...parameters]);
    return { ok: true, status: stdout };
  } catch (thrown) {
    return { ok: false, status: String((thrown as { stdout?: string }).stdout) };
  }
}

describe('signer', () => {
  let folder: string;
  let home: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conforme-key-'));
    home = await mkdtemp(join(tmpdir(), 'conforme-gpg-'));
  });
  after(() => Promise.all([folder, home].map((path) => rm(path, { recursive: true, force: true }))));

  it('signs so that gpg accepts the exact bytes and nothing else', async () => {
    const signer = await makeSigner(join(folder, 'a'), 'test');
    const bytes = Buffer.from('{"a":"line one\r\nline two \\u0000 "}\n \t\n\xff', 'latin1');
    const files = { key: join(home, 'key.asc'), data: join(home, 'data'), signature: join(home, 'data.asc') };
    await writeFile(files.key, await signer.publicKey());
    await writeFile(files.data, bytes);
    const signature = await signer.sign(bytes);
    await writeFile(files.signature, signature);
    assert.match(signature, /^-----BEGIN PGP SIGNATURE-----/);
    const imported = await gpg(home, '--import', files.key);
    assert.ok(imported.ok, imported.status);
    assert.match(imported.status, new RegExp(`IMPORT_OK 1 ${await signer.fingerprint()}`));
    const good = await gpg(home, '--verify', files.signature, files.data);
    assert.ok(good.ok, good.status);
    assert.match(good.status, new RegExp(`VALIDSIG ${await signer.fingerprint()} `));
    assert.match(good.status, /GOODSIG [0-9A-F]+ conforme test/);
    // One changed bit, another line ending, a trailing blank less, more at the end.
    const flipped = Buffer.from(bytes);
    flipped[3] = (flipped[3] ?? 0) ^ 1;
    const others = [
      flipped,
      Buffer.from(bytes.toString('latin1').replace('\r\n', '\n'), 'latin1'),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, bytes]),
    ];
    for (const other of others) {
      await writeFile(files.data, other);
      const bad = await gpg(home, '--verify', files.signature, files.data);
      assert.equal(bad.ok, false);
      assert.match(bad.status, /BADSIG/);
    }
  });

  it('does not show the private half, and keeps the key', async () => {
    const [one, two] = await Promise.all([makeSigner(join(folder, 'b')), makeSigner(join(folder, 'b'))]);
    const later = await makeSigner(join(folder, 'b'));
    assert.equal(await one.fingerprint(), await later.fingerprint());
    assert.equal(await two.fingerprint(), await later.fingerprint(), 'two that start at once have one key');
    assert.doesNotMatch(await one.publicKey(), /PRIVATE/);
    assert.deepEqual((await readdir(join(folder, 'b'))).toSorted(), ['private-key.asc', 'revocation-certificate.asc']);
    for (const name of await readdir(join(folder, 'b'))) assert.equal((await stat(join(folder, 'b', name))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'b'))).mode & 0o777, 0o700);
  });

  it('leaves a revocation certificate that gpg applies', async () => {
    const signer = await makeSigner(join(folder, 'c'));
    const [key, certificate] = [join(home, 'c.asc'), join(folder, 'c', 'revocation-certificate.asc')];
    await writeFile(key, await signer.publicKey());
    await gpg(home, '--import', key);
    await gpg(home, '--import', certificate);
    const listed = await promisify(execFile)('gpg', [
      '--homedir',
      home,
      '--batch',
      '--with-colons',
      '--list-keys',
      await signer.fingerprint(),
    ]);
    assert.match(listed.stdout, /^pub:r:/m);
  });

  it('says which file is no key, and does not replace it', async () => {
    const path = join(folder, 'a', 'private-key.asc');
    await writeFile(path, 'torn');
    await assert.rejects(
      makeSigner(join(folder, 'a')),
      (thrown) => thrown instanceof Problem && thrown.code === 'environment-missing' && thrown.message.includes(path),
    );
    assert.equal(await readFile(path, 'utf8'), 'torn');
  });
});
