/** What differs inside of the files of a sample verdict: hostile names and text, as an image could bring them. */
import { readFileSync } from 'node:fs';
import type { Digest } from '../../src/model/digest.ts';
import { digestOf } from '../../src/model/digest.ts';
import { parseDiffoscope } from '../../src/model/diffoscope-parse.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import type { Entry } from '../../src/model/inventory.ts';
import type { Difference } from '../../src/model/verdict.ts';
import { differingMembers } from '../../src/steps/explain/members.ts';
import { explainBytes } from '../../src/steps/explain/own.ts';
import type { SampleKind } from './sample-verdict.ts';

const entry = (path: string, bytes: Uint8Array): Entry & { digest: Digest } => ({
  path,
  kind: 'file',
  size: bytes.length,
  digest: digestOf(bytes),
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  layer: 1,
});

function explained(path: string, rebuilt: Buffer, published: Buffer, report?: object): Explanation {
  const own = explainBytes({ path, rebuilt: entry(path, rebuilt), published: entry(path, published) }, rebuilt, published);
  const file = { source1: '/job/rebuilt/0', source2: '/job/published/0', ...report };
  const folder = { 'diffoscope-json-version': 1, source1: '/job/rebuilt', source2: '/job/published', details: [file] };
  const told = report === undefined ? undefined : parseDiffoscope(JSON.stringify(folder))?.get('0');
  return { ...own, ...(told === undefined ? {} : { diffoscope: told }), notes: [] };
}

const HOSTILE = '<script>alert(3)</script> \u202egnp.exe \u001b[31mred" onload="x';

/** By path; the differences of the sample that have one. */
export function sampleExplanations(kind: SampleKind): Explanation[] {
  if (kind !== 'backdoored') return [];
  const program = readFileSync('/bin/true');
  const changed = Buffer.from(program);
  changed.write('curl evil.example', changed.indexOf('GNU coreutils'), 'latin1');
  const strings = `@@ -80,7 +80,7 @@\n /lib64/ld-linux-x86-64.so.2\n-GNU coreutils\n+${HOSTILE}\n`;
  const archive = (content: string) => ({ fileName: '3', whole: true, members: [member(HOSTILE, content), member('same', 'same')] });
  const member = (path: string, content: string) => ({ path, size: content.length, digest: digestOf(content) });
  const members = differingMembers(archive('one'), archive('other'))?.parts;
  return [
    explained('/etc/app.conf', Buffer.from('listen = 80\nkeys = none\n'), Buffer.from(`listen = 80\nkeys = ${HOSTILE}\nmore = 1\n`)),
    explained('/usr/sbin/nginx', program, changed, {
      comments: [`File has been modified ${HOSTILE}`],
      details: [{ source1: 'strings --all --bytes=8 {}', source2: `strings ${HOSTILE}`, unified_diff: strings }],
    }),
    { ...explained('/srv/app.jar', Buffer.from('PK\x03\x04one'), Buffer.from('PK\x03\x04other')), ...(members && { members }) },
  ];
}

export function explainedDifference({ path }: Explanation, document: Digest): Difference {
  return { path, aspects: ['content'], cause: 'unknown', class: 'same', line: 4, explanation: document };
}
