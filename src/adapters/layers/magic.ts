import type { FileFacts } from '../../model/inventory.ts';
import { textFromBytes } from '../../model/path.ts';

/** Bytes at the start of a file that {@link magicOf} looks at. */
export const MAGIC_BYTES = 4;
/** Bytes at the start of a script that the kernel looks at: BINPRM_BUF_SIZE. */
export const HEAD_BYTES = 256;

/** What follows `#!` on the first line of a script. */
export function interpreterOf(head: Buffer): string | undefined {
  const end = head.indexOf(0x0a);
  const line = head.subarray(2, end < 0 ? HEAD_BYTES : end);
  const text = textFromBytes(line).trim();
  return text === '' ? undefined : text;
}

/**
 * What the first bytes of a file say it is, for what a machine or an interpreter may run. Names are not asked: a program is
 * one by whatever name.
 */
export function magicOf(head: Buffer): FileFacts['magic'] {
  if (head.length >= 2 && head[0] === 0x23 && head[1] === 0x21) return 'script'; // #!
  if (head.length < MAGIC_BYTES) return undefined;
  switch (head.readUInt32BE(0)) {
    case 0x7f454c46: // ELF
      return 'elf';
    case 0x213c6172: // ar: static libraries, .deb
    case 0x504b0304: // zip: .jar, .whl, .apk
    case 0x504b0506: // an empty zip
    case 0x0061736d: // WebAssembly
    case 0xcafebabe: // Java class, Mach-O for several machines
    case 0xcffaedfe: // Mach-O
    case 0xfeedfacf:
    case 0x6465780a: // Dalvik
      return 'archive';
  }
  // Python writes its version's number and CR LF; 3.x counts from 3000, 2.x ended at 62211.
  const version = head.readUInt16LE(0);
  if (head[2] === 0x0d && head[3] === 0x0a && ((version >= 3000 && version < 4000) || (version >= 50000 && version <= 62300))) return 'pyc';
  return undefined;
}
