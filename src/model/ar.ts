/**
 * The `ar` archive that a .deb is: deb(5), "common" format with names of at most 16 bytes, no symbol table. Read as a stream;
 * one member at a time, its bytes have to be used (or are skipped) before the next.
 */
export type ArMember = { name: string; size: number; bytes: AsyncIterable<Uint8Array> };

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
const MEMBERS_MAX = 16; // deb(5) knows three; further ones with a name of `_` are to be ignored

/** Throws `SyntaxError` for what is no such archive, or one that is cut short. */
export async function* readAr(source: AsyncIterable<Uint8Array>): AsyncGenerator<ArMember> {
  const reader = new ByteReader(source);
  try {
    const magic = await reader.take(MAGIC.length);
    if (magic === undefined || latin(magic) !== MAGIC) throw new SyntaxError('no ar archive');
    for (let count = 0; ; count++) {
      const header = await reader.take(HEADER_BYTES);
      if (header === undefined) return;
      if (count === MEMBERS_MAX) throw new SyntaxError(`more than ${MEMBERS_MAX} members`);
      const { name, size } = parseHeader(latin(header));
      const body = reader.span(size);
      yield { name, size, bytes: body };
      for await (const _ of body); // what the caller left
      if (size % 2 === 1) await reader.take(1);
    }
  } finally {
    await reader.close();
  }
}

function parseHeader(header: string): { name: string; size: number } {
  if (!header.endsWith('`\n')) throw new SyntaxError('an ar header without its end mark');
  const name = header.slice(0, 16).trimEnd().replace(/\/$/, ''); // GNU ar ends a name with a slash
  const digits = header.slice(48, 58).trimEnd();
  if (!/^[0-9]{1,10}$/.test(digits) || !/^[!-.0-~]+$/.test(name)) throw new SyntaxError('an ar header that does not parse');
  return { name, size: Number(digits) };
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** At least one byte, at most `max`; undefined at the end. */
  async some(max: number): Promise<Uint8Array | undefined> {
    while (this.#chunk.length === 0) {
      const next = await this.#iterator.next();
      if (next.done === true) return undefined;
      this.#chunk = next.value;
    }
    const piece = this.#chunk.subarray(0, max);
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  /** Exactly `count` bytes, or undefined where the source ends before the first of them. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const out = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const piece = await this.some(count - filled);
      if (piece === undefined) {
        if (filled === 0) return undefined;
        throw new SyntaxError('an ar archive that is cut short');
      }
      out.set(piece, filled);
      filled += piece.length;
    }
    return out;
  }

  /** The next `size` bytes; iterating it again goes on where the last iteration stopped. */
  span(size: number): AsyncIterable<Uint8Array> {
    let left = size;
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (left === 0) return { done: true, value: undefined };
      const piece = await this.some(left);
      if (piece === undefined) throw new SyntaxError('an ar archive that is cut short');
      left -= piece.length;
      return { done: false, value: piece };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
