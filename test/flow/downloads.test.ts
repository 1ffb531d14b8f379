import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { makeScanArchive } from '../../src/adapters/archives/scan.ts';
import { makeFileBlobs } from '../../src/adapters/blobs/file.ts';
import { getDocument, putDocument } from '../../src/flow/documents.ts';
import { noteDownloads } from '../../src/flow/downloads.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { Download } from '../../src/model/download.ts';
import { noPins } from '../../src/steps/pins/pin.ts';
import { zip } from '../support/zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'conforme-downloads-'));
after(() => rmSync(folder, { recursive: true }));
const blobs = makeFileBlobs(join(folder, 'blobs'));

const MODULE = { 'm.example/x@v1.0.0/go.mod': 'module m.example/x\n', 'm.example/x@v1.0.0/x.go': 'package x\n' };
const honest = zip(Object.entries(MODULE).map(([name, content]) => ({ name, content })));
/** Hash1 of golang.org/x/mod/sumdb/dirhash, written down as it is specified. */
const HASH = `h1:${createHash('sha256')
  .update(
    Object.entries(MODULE)
      .map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
      .join(''),
  )
  .digest('base64')}`;

async function noted(bytes: Buffer): Promise<Download | undefined> {
  const file = join(folder, 'fetched.zip');
  writeFileSync(file, bytes);
  const pins = noPins();
  pins.goSum.set(HASH, { path: 'go.sum', line: 1 });
  const built = await putDocument(blobs, { entries: [{ digest: digestOf('package x\n') }, { digest: digestOf('evil') }] });
  const fetched = [{ url: 'http://h.example/x.zip', digest: digestOf(bytes), sha512: '', size: bytes.length, file }];
  const stored = await noteDownloads({ blobs, scanArchive: makeScanArchive() }, fetched, pins, built);
  return stored === undefined ? undefined : (await getDocument<Download[]>(blobs, stored))[0];
}

it('pins the zip of a Go module by what go.sum says of its files', async () => {
  const found = await noted(honest);
  assert.deepEqual([found?.pinned, found?.pinsMembersOnly], [{ path: 'go.sum', line: 1 }, true]);
  assert.deepEqual(
    found?.members.map(({ path }) => path),
    ['m.example/x@v1.0.0/x.go'],
  );
});

it('pins none with more in it than was read, or with other files', async () => {
  const evil = { name: 'm.example/x@v1.0.0/evil.go', content: 'evil' };
  const with_ = (more: { name: string; content: string }[]): Buffer =>
    zip([...Object.entries(MODULE).map(([name, content]) => ({ name, content })), ...more]);
  assert.equal((await noted(with_([evil])))?.pinned, undefined, 'one file more');
  // The last one in a method that few readers know: passed over, and not pinned by what was read of the others.
  const rare = with_([evil]);
  const central = rare.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
  rare.writeUInt16LE(12, central + 10);
  assert.equal((await noted(rare))?.pinned, undefined, 'a member that is passed over');
  const damaged = with_([evil]);
  damaged.writeUInt32LE(0, damaged.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')));
  assert.equal((await noted(damaged))?.pinned, undefined, 'damaged behind the honest members');
});
