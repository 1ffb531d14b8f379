/**
 * Whether PostgreSQL replays anything when it starts on a fresh cluster. It does not where pg_control says that it was shut down, and the record of
 * the last checkpoint is one of a shutdown that names itself as the place to begin: `InitWalRecovery` in xlogrecovery.c. Whatever else is in
 * the log can change any page of the database. Layouts are those of 64 bits with the lowest byte first, as amd64 and arm64 have them.
 */
import { crc32c } from '../model/crc32c.ts';
import type { FileFacts } from '../model/inventory.ts';

/** ControlFileData, src/include/catalog/pg_control.h: of PostgreSQL 13 to 16 and of 17, which keep these fields where they were. */
const VERSIONS: ReadonlySet<number> = new Set([1300, 1700]);
export const CONTROL_BYTES = 8192;
const AT = { version: 8, state: 16, checkPoint: 32, copy: 40, segmentBytes: 228, crc: 288 } as const;
/** CheckPoint: where replay begins, and the timeline. */
const COPY = { redo: 40, timeline: 48, bytes: 88 } as const;
const SHUT_DOWN = 1;
/** What is drawn at random or follows from the time: system_identifier, both times, mock_authentication_nonce, and the sum of it all. */
const DRAWN = [
  { from: 0, to: 8 },
  { from: 24, to: 32 },
  { from: 104, to: 112 },
  { from: 256, to: 288 },
  { from: AT.crc, to: AT.crc + 4 },
] as const;

/** XLogRecord, src/include/access/xlogrecord.h; the head of its data says a short length. */
const RECORD = { info: 16, manager: 17, crc: 20, head: 24, data: 26, bytes: 26 + COPY.bytes } as const;
const DATA_SHORT = 0xff;
/** XLogPageHeaderData, src/include/access/xlog_internal.h: a record goes on behind it. */
const PAGE = { bytes: 8192, head: 24 } as const;

/** What of a control file decides what is read at the start. */
type Control = { bytes: Buffer; checkPoint: bigint; segmentBytes: number };

/** Undefined for any file on which a server would replay something, or of which that is not known. */
function controlOf(given: Uint8Array): Control | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  if (bytes.length !== CONTROL_BYTES || !VERSIONS.has(bytes.readUInt32LE(AT.version))) return undefined;
  if (crc32c(bytes.subarray(0, AT.crc)) !== bytes.readUInt32LE(AT.crc)) return undefined;
  const checkPoint = bytes.readBigUInt64LE(AT.checkPoint);
  if (bytes.readUInt32LE(AT.state) !== SHUT_DOWN || bytes.readBigUInt64LE(COPY.redo) !== checkPoint) return undefined;
  if (bytes.readUInt32LE(COPY.timeline) !== 1) return undefined;
  return { bytes, checkPoint, segmentBytes: bytes.readUInt32LE(AT.segmentBytes) };
}

/** The control file of a cluster that was shut down, if it is what the packages make but for what initdb draws and notes. */
export function freshControl(published: Uint8Array, made: Uint8Array): Control | undefined {
  const [control, other] = [controlOf(published), controlOf(made)];
  if (control === undefined || other === undefined) return undefined;
  const expected = Buffer.from(other.bytes);
  for (const { from, to } of DRAWN) control.bytes.copy(expected, from, from, to);
  return control.bytes.equals(expected) ? control : undefined;
}

/** XLogFileName: the timeline, then the number of the segment as two words. */
function segmentName({ checkPoint, segmentBytes }: Control): string {
  const number = checkPoint / BigInt(segmentBytes);
  const perWord = 2n ** 32n / BigInt(segmentBytes);
  return [1n, number / perWord, number % perWord].map((word) => word.toString(16).toUpperCase().padStart(8, '0')).join('');
}

/** True for the segment that holds the record of the last checkpoint, with nothing to replay: bytes before that record are never read. */
export function hasNothingToReplay(name: string, { size, tail }: Pick<FileFacts, 'size' | 'tail'>, control: Control): boolean {
  const { segmentBytes, checkPoint } = control;
  if (tail === undefined || segmentBytes < PAGE.bytes || size !== segmentBytes || name !== segmentName(control)) return false;
  const start = Number(checkPoint % BigInt(segmentBytes));
  const onPage = Math.min(RECORD.bytes, PAGE.bytes - (start % PAGE.bytes));
  const end = start + RECORD.bytes + (onPage < RECORD.bytes ? PAGE.head : 0);
  const kept = Buffer.from(tail.base64, 'base64');
  const from = tail.end - kept.length;
  if (start < from || start >= tail.end || tail.end > end || end > size) return false;
  const whole = Buffer.alloc(end - start);
  kept.copy(whole, 0, start - from);
  const record = Buffer.concat([whole.subarray(0, onPage), whole.subarray(whole.length - (RECORD.bytes - onPage))]);
  return isShutdown(record, control);
}

function isShutdown(record: Buffer, control: Control): boolean {
  const isCheckpoint = record.readUInt32LE(0) === RECORD.bytes && record[RECORD.info] === 0 && record[RECORD.manager] === 0;
  if (!isCheckpoint || record[RECORD.head] !== DATA_SHORT || record[RECORD.head + 1] !== COPY.bytes) return false;
  if (crc32c(record.subarray(RECORD.head), record.subarray(0, RECORD.crc)) !== record.readUInt32LE(RECORD.crc)) return false;
  return record.subarray(RECORD.data).equals(control.bytes.subarray(AT.copy, AT.copy + COPY.bytes));
}
