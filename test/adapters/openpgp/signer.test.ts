import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { makeSigner } from '../../../src/adapters/openpgp/signer.ts';
import type { Signer } from '../../../src/ports.ts';
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

  it('comes to have a mail address without becoming another key', async () => {
    const [name, email] = ['d', 'verdicts@conforme.example'];
    const before = await makeSigner(join(folder, name), 'test');
    const bytes = Buffer.from('signed before');
    const signature = await before.sign(bytes);
    const after = await makeSigner(join(folder, name), 'test', email);
    assert.equal(await after.fingerprint(), await before.fingerprint());
    const key = await after.publicKey();
    assert.equal(await (await makeSigner(join(folder, name), 'test', email)).publicKey(), key, 'signed once');
    assert.equal(await (await makeSigner(join(folder, name), 'test')).publicKey(), await before.publicKey());
    assert.doesNotMatch(key, /PRIVATE/);
    const files = { key: join(home, 'd.asc'), data: join(home, 'd'), signature: join(home, 'd.sig') };
    await Promise.all([writeFile(files.key, key), writeFile(files.data, bytes), writeFile(files.signature, signature)]);
    const { ok, status } = await gpg(home, '--import', files.key);
    assert.ok(ok, status);
    assert.match((await gpg(home, '--verify', files.signature, files.data)).status, /GOODSIG [0-9A-F]+ conforme test/);
    const listed = await gpg(home, '--with-colons', '--list-keys', await after.fingerprint());
    const userIds = [...listed.status.matchAll(/^uid:([^:]*):(?:[^:]*:){7}([^:]*):/gm)].map(([, validity, userId]) => [validity, userId]);
    assert.deepEqual(new Set(userIds.map(([, userId]) => userId)), new Set([`conforme test <${email}>`, 'conforme test']));
    assert.ok(
      userIds.every(([validity]) => validity !== 'i' && validity !== 'r'),
      'gpg accepts each',
    );
    // A new key has it from the start.
    assert.match(
      (await gpg(home, '--with-colons', '--show-keys', await fileOf(await makeSigner(join(folder, 'e'), 'test', email)))).status,
      /conforme test <verdicts@conforme\.example>/,
    );
  });

  it('signs a message so that gpg gives the bytes out of it', async () => {
    const signer = await makeSigner(join(folder, 'f'), 'test');
    const file = join(home, 'message');
    const message = Buffer.from(await signer.signMessage(Buffer.from('{"a":"b"}\r\n\xff', 'latin1')));
    await writeFile(file, message);
    await gpg(home, '--import', await fileOf(signer));
    const { stdout } = await promisify(execFile)('gpg', ['--homedir', home, '--batch', '--no-autostart', '--decrypt', file], {
      encoding: 'buffer',
    });
    assert.deepEqual(stdout, Buffer.from('{"a":"b"}\r\n\xff', 'latin1'));
    const at = message.indexOf('"b"');
    message[at + 1] = 'c'.charCodeAt(0);
    await writeFile(file, message);
    assert.match((await gpg(home, '--decrypt', file)).status, /BADSIG/);
  });

  async function fileOf(signer: Signer): Promise<string> {
    const path = join(home, `${await signer.fingerprint()}.asc`);
    await writeFile(path, await signer.publicKey());
    return path;
  }

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
