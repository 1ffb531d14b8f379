import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Anomaly } from '../../src/model/inventory.ts';
import { makeTarReader, type TarMember } from '../../src/model/tar.ts';
import { cleanName, textFromByteString } from '../../src/model/tar-name.ts';

/** What read.go prints of one tar; names and attributes in base64. */
type Said = {
  case: string;
  bytes: string;
  refused?: string;
  members: {
    name: string;
    type: string;
    link: string;
    size: number;
    mode: number;
    uid: number;
    gid: number;
    mtime: number;
    digest: string;
    xattrs?: Record<string, string>;
  }[];
};
const KINDS: Record<string, string> = {
  0: 'file',
  7: 'file',
  S: 'file',
  1: 'hardlink',
  2: 'symlink',
  3: 'character',
  4: 'block',
  5: 'directory',
  6: 'fifo',
};

const folder = new URL('../fixtures/containerd/', import.meta.url);
const cases = JSON.parse(gunzipSync(readFileSync(new URL('tars.json.gz', folder))).toString()) as Said[];
const bytesOf = (base64: string) => Buffer.from(base64, 'base64').toString('latin1');

function asGoSays({ members }: Said): object[] {
  return members.map(({ name, type, link, size, mode, uid, gid, mtime, digest, xattrs }) => {
    const kind = KINDS[type];
    return {
      path: cleanName(bytesOf(name)).path,
      kind,
      size: kind === 'file' ? size : 0,
      mode: kind === 'symlink' ? 0o777 : mode,
      uid,
      gid,
      mtime,
      ...(kind === 'file' && { digest }),
      ...(kind === 'hardlink' && { target: cleanName(bytesOf(link)).path }),
      ...(kind === 'symlink' && { target: textFromByteString(bytesOf(link)) }),
      ...(xattrs !== undefined && { xattrs: Object.fromEntries(Object.entries(xattrs).map(([key, value]) => [bytesOf(key), value])) }),
    };
  });
}

function asWeRead(bytes: Buffer): { members: object[]; anomalies: Anomaly['code'][] } {
  const members: object[] = [];
  const anomalies: Anomaly['code'][] = [];
  let open: TarMember | undefined;
  let hash: Hash | undefined;
  const tell = ({ device: _device, mtime, xattrs, ...member }: TarMember, more = {}) =>
    void members.push({ ...member, mtime: Math.floor(mtime), ...(xattrs && { xattrs: { ...xattrs } }), ...more });
  const reader = makeTarReader({
    member(each) {
      open = each;
      hash = createHash('sha256');
      if (each.kind !== 'file') tell(each);
    },
    data: (part) => void hash?.update(part),
    close: () => open && tell(open, { digest: `sha256:${hash?.digest('hex')}` }),
    anomaly: ({ code }) => void anomalies.push(code),
  });
  reader.write(bytes);
  reader.end();
  return { members, anomalies };
}

it(`reads ${cases.length} hostile tars as Go's archive/tar does`, () => {
  assert.ok(cases.length > 500 && cases.filter(({ refused }) => refused === undefined).length > 150);
  for (const said of cases) {
    const { members, anomalies } = asWeRead(Buffer.from(said.bytes, 'base64'));
    assert.deepEqual(members, asGoSays(said), `case ${said.case}`);
    const stopped = anomalies.includes('bad-header') || anomalies.includes('truncated');
    if (said.refused !== undefined) assert.ok(stopped, `case ${said.case}: Go says ${said.refused}, we say nothing`);
  }
});
