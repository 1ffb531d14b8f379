import type { Rule, Side } from './rule.ts';

const HEADER = 16; // bytes. PEP 552: magic, flags, then mtime and size of the source (or its hash)

/** The code object with magic, flags and the source's size; undefined for a pyc that is checked by hash, or not kept. */
function code({ bytes }: Side): Buffer | undefined {
  if (bytes === undefined || bytes.length <= HEADER) return undefined;
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return data.readUInt32LE(4) === 0 ? data : undefined;
}

export const pycSourceTime: Rule = {
  name: 'pyc-source-time',
  version: 1,
  reason:
    "PEP 552: compiled Python code notes the mtime of its source, which COPY sets anew; magic, flags, the source's size and the whole code are compared",
  applies: (path) => /\/__pycache__\/[^/]+\.pyc$/.test(path),
  admits: (facts) =>
    facts.kind === 'file' && (facts.mode & 0o7133) === 0 && facts.xattrs === undefined && facts.magic !== 'elf' && facts.magic !== 'script',
  equal: (published, rebuilt) => {
    const a = code(published);
    const b = code(rebuilt);
    if (a === undefined || b === undefined) return false;
    return a.subarray(0, 8).equals(b.subarray(0, 8)) && a.subarray(12).equals(b.subarray(12));
  },
};
