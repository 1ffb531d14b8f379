/** Bills of materials of verdicts, as they are asked for. */
import type { Bill } from '../src/model/bill.ts';
import type { DebianEvidence } from '../src/model/debian.ts';
import { type Digest, hexOf } from '../src/model/digest.ts';
import type { AccountLine } from '../src/model/verdict.ts';
import type { VerdictRecord } from '../src/model/verification.ts';
import type { Blobs } from '../src/ports.ts';
import { collectFiles, makeBill } from '../src/steps/make-bill.ts';
import { CYCLONEDX_MEDIA_TYPE, writeCycloneDx } from '../src/steps/write-cyclonedx.ts';
import { SPDX_MEDIA_TYPE, writeSpdx } from '../src/steps/write-spdx.ts';
import { linesOf, oneChunk, statementOf } from './stored.ts';

/** Raised when the same verdict comes to give other documents: those that are kept are then not used any more. */
const BILL_VERSION = 2;
// Some hundred bytes for each of at most 50,000 packages.
const EVIDENCE_BYTES_MAX = 128 * 1024 * 1024;

export type BillFormat = keyof typeof BILL_FORMATS;

type Format = {
  path: string;
  mediaType: string;
  summary: string;
  write: (bill: Bill) => string;
  fileName: (record: VerdictRecord) => string;
};

const nameOf = ({ digest }: VerdictRecord): string => hexOf(digest).slice(0, 12);

export const BILL_FORMATS = {
  cyclonedx: {
    path: 'cyclonedx.json',
    mediaType: CYCLONEDX_MEDIA_TYPE,
    summary: 'The bill of materials as CycloneDX 1.6, each component with how it was verified',
    write: writeCycloneDx,
    fileName: (record) => `${nameOf(record)}.cdx.json`,
  },
  spdx: {
    path: 'spdx.json',
    mediaType: SPDX_MEDIA_TYPE,
    summary: 'The bill of materials as SPDX 2.3, each package with how it was verified',
    write: writeSpdx,
    fileName: (record) => `${nameOf(record)}.spdx.json`,
  },
} as const satisfies Record<string, Format>;

/** The document as a blob: written once, because an account can have a million lines. */
export async function billOf(blobs: Blobs, record: VerdictRecord, format: BillFormat): Promise<Digest> {
  const name = `bill/v${BILL_VERSION}/${format}/${record.digest}`;
  const known = await blobs.resolve(name);
  if (known !== undefined) return known;
  const text = BILL_FORMATS[format].write(await loadBill(blobs, record));
  const { digest } = await blobs.put(oneChunk(Buffer.from(text)));
  await blobs.link(name, digest);
  return digest;
}

async function loadBill(blobs: Blobs, record: VerdictRecord): Promise<Bill> {
  const statement = statementOf(record);
  const evidence = JSON.parse(
    (await blobs.read(statement.predicate.byproducts.evidence, EVIDENCE_BYTES_MAX)).toString('utf8'),
  ) as DebianEvidence;
  const collected = collectFiles();
  for await (const line of linesOf(blobs, record.account)) {
    // Most lines are files of packages; canonical JSON has one way to write it.
    if (line.includes('"attribution":"debian-')) continue;
    collected.add(JSON.parse(line) as AccountLine);
  }
  return makeBill(record.digest, statement, evidence, collected.files());
}
