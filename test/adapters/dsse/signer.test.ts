import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { makeEnvelopeKey, makeEnvelopeSigner } from '../../../src/adapters/dsse/signer.ts';
import { envelopeOf, preAuthEncoding } from '../../../src/model/dsse.ts';
import { Problem } from '../../../src/problem.ts';
import { payloadByInToto } from '../../support/envelopes.ts';

const run = promisify(execFile);

describe('envelope signer', () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'conforme-dsse-'))));
  after(() => rm(folder, { recursive: true, force: true }));
  const signer = makeEnvelopeSigner(makeEnvelopeKey(), 'made here');
  const statement = Buffer.from('{"a":"é\\u0000"}\r\n \xff', 'latin1');

  it('encodes as the specification has it', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    assert.equal(Buffer.from(encoded).toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
    assert.equal(Buffer.from(preAuthEncoding('é', Buffer.from('é'))).toString(), 'DSSEv1 2 é 2 é', 'lengths are of bytes');
  });

  it('signs so that openssl and in-toto accept the exact bytes and nothing else', async () => {
    const signature = await signer.sign(statement);
    const files = { key: join(folder, 'key'), data: join(folder, 'data'), signature: join(folder, 'signature') };
    await writeFile(files.key, await signer.publicKey());
    await writeFile(files.signature, Buffer.from(signature.sig, 'base64'));
    const openssl = async (type: string, payload: Uint8Array): Promise<string> => {
      await writeFile(files.data, preAuthEncoding(type, payload));
      return (await run('openssl', ['dgst', '-sha256', '-verify', files.key, '-signature', files.signature, files.data])).stdout;
    };
    assert.match(await openssl('application/vnd.in-toto+json', statement), /Verified OK/);
    await assert.rejects(openssl('application/json', statement), 'the type is part of what is signed');
    const flipped = Buffer.from(statement);
    flipped[3] = (flipped[3] ?? 0) ^ 1;
    await assert.rejects(openssl('application/vnd.in-toto+json', flipped));

    const publicKey = await signer.publicKey();
    assert.deepEqual(await payloadByInToto(JSON.stringify(envelopeOf(statement, [signature])), publicKey), statement);
    await assert.rejects(payloadByInToto(JSON.stringify(envelopeOf(flipped, [signature])), publicKey));
    const other = await makeEnvelopeSigner(makeEnvelopeKey(), 'another').publicKey();
    await assert.rejects(payloadByInToto(JSON.stringify(envelopeOf(statement, [signature])), other));
  });

  it('calls its key as ssh-keygen does', async () => {
    const key = join(folder, 'key.pub');
    await writeFile(key, await signer.publicKey());
    const { stdout: line } = await run('ssh-keygen', ['-i', '-m', 'PKCS8', '-f', key]);
    await writeFile(key, line);
    const { stdout } = await run('ssh-keygen', ['-l', '-f', key]);
    assert.equal(stdout.split(' ')[1], await signer.keyId());
    assert.equal((await signer.sign(statement)).keyid, await signer.keyId());
  });

  const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
  const { privateKey: p384 } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  for (const [name, pem] of [
    ['a torn file', 'torn'],
    ['a public key', null],
    ['Ed25519', ed25519.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['another curve', p384.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ] as const)
    it(`refuses ${name}, and says which file it is`, async () => {
      const text = pem ?? (await signer.publicKey());
      assert.throws(
        () => makeEnvelopeSigner(text, '/the/file'),
        (thrown) => thrown instanceof Problem && thrown.code === 'environment-missing' && thrown.message.includes('/the/file'),
      );
    });
});
