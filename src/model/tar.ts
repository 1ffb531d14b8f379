import type { Anomaly } from './inventory.ts';
import { BLOCK, cString, parseHeader, TarFault, type TarHeader } from './tar-header.ts';
import { applyExtensions, type Extensions, kindOf, memberOf, type TarMember } from './tar-member.ts';
import { textFromByteString } from './tar-name.ts';
import { parsePax } from './tar-pax.ts';
import { checkFragments, type Fragment, makeLineMap, mapFromBlock, mapFromRecords, sparseSize, sparseVersion } from './tar-sparse.ts';

export type { TarMember };

/** The tar is beyond what is read here; nothing is wrong with it as such. */
export class TarLimitError extends Error {}

export type TarLimits = {
  /** Members of one tar. The largest published images have some hundred thousand files. */
  entries: number;
  /** Bytes of one name: PATH_MAX of Linux. */
  path: number;
  /** Bytes of one extended header or GNU long name, as in Go's archive/tar and libarchive. */
  special: number;
  /** Bytes of all names, link targets and attributes of one tar: they are what a scan keeps in memory. */
  names: number;
  /** Bytes of holes in the sparse files of one tar, which cost time to hash and nothing to send. */
  holes: number;
};
export const TAR_LIMITS: TarLimits = { entries: 1_000_000, path: 4096, special: 1 << 20, names: 1 << 27, holes: 1 << 30 };

export type TarHandler = {
  member(member: TarMember): void;
  /** Contents of the regular file that came last, holes as zeros. The bytes are only borrowed. */
  data(bytes: Uint8Array): void;
  /** The contents are complete; never called for a file that is cut off. */
  close(): void;
  anomaly(anomaly: Omit<Anomaly, 'layer'>): void;
};

const ZEROS = new Uint8Array(1 << 16);

type State = 'header' | 'second-zero' | 'special' | 'sparse-blocks' | 'sparse-lines' | 'data' | 'skip' | 'ended' | 'stopped';

/**
 * Reads a tar in pieces of any size, as Go's archive/tar and containerd's archive.Apply do, and tells what other readers could
 * read differently. Holds one block, at most one extended header, and no contents. Knows ustar, PAX, GNU and V7, and the four
 * formats of GNU sparse files. Throws {@link TarLimitError} alone: whatever is wrong with the tar is an anomaly.
 */
export function makeTarReader(handler: TarHandler, limits: TarLimits = TAR_LIMITS): { write(chunk: Uint8Array): void; end(): void } {
  let state: State = 'header';
  const block = new Uint8Array(BLOCK);
  let filled = 0;
  /** Stored bytes that are left of what the state reads, and the padding behind them. */
  let left = 0;
  let padding = 0;
  let entries = 0;
  let holes = 0;
  let names = 0;
  let behindEnd = 0;

  let special = Buffer.alloc(0);
  let specialType = '';
  let extensions: Extensions = { doubts: [] };

  let header: TarHeader | undefined;
  let member: TarMember | undefined;
  let fragments: Fragment[] | undefined;
  let fragmentAt = 0;
  let position = 0;
  let lineMap: ReturnType<typeof makeLineMap> | undefined;

  function onBlock(bytes: Uint8Array): void {
    if (state === 'sparse-blocks') return onSparseBlock(mapFromBlock(bytes, false));
    if (state === 'sparse-lines') return onSparseLines(bytes);
    if (isZero(bytes)) {
      state = state === 'header' ? 'second-zero' : 'ended';
      return;
    }
    if (state === 'second-zero') throw new TarFault('a lone block of zeros between headers');
    const next = parseHeader(bytes);
    if (next.size < 0) throw new TarFault('a negative size');
    if (!/^[xgLK]$/.test(next.type)) return onMember(next, bytes);
    if (next.size > limits.special) throw new TarLimitError(`an extended header of ${next.size} bytes, more than ${limits.special}`);
    names += next.size;
    specialType = next.type;
    special = Buffer.alloc(next.size);
    left = next.size;
    padding = paddingOf(next.size);
    state = 'special';
    if (left === 0) onSpecial();
  }

  function onSpecial(): void {
    const text = special.toString('latin1');
    const doubt = (detail: string) => void extensions.doubts.push(detail);
    switch (specialType) {
      case 'x':
        if (extensions.pax !== undefined) doubt('an extended header that replaces another one before it is used');
        extensions.pax = parsePax(text, doubt);
        break;
      case 'g':
        // Go forgets what came before it and applies it to nothing; GNU tar and libarchive apply it to all that follows.
        if (extensions.pax ?? extensions.longName ?? extensions.longLink) doubt('a global header between a member and its extended header');
        for (const key of parsePax(text, doubt).keys())
          if (key !== 'comment') doubt(`a global extended header sets ${textFromByteString(key)}`);
        for (const detail of extensions.doubts) handler.anomaly({ code: 'conflicting-header', detail });
        extensions = { doubts: [] };
        break;
      default: {
        const which = specialType === 'L' ? 'longName' : 'longLink';
        if (extensions[which] !== undefined) doubt('two GNU long names for one member');
        extensions[which] = cString(text);
      }
    }
    skip(padding);
  }

  function onMember(next: TarHeader, bytes: Uint8Array): void {
    if (++entries > limits.entries) throw new TarLimitError(`more than ${limits.entries} members`);
    applyExtensions(next, extensions);
    if (next.size < 0) throw new TarFault('a negative size');
    const kind = kindOf(next);
    const bodiless = kind !== undefined && kind !== 'file';
    if (bodiless && next.size > 0) extensions.doubts.push(`a size of ${next.size} on a member that has no contents`);
    header = next;
    left = bodiless ? 0 : next.size;
    padding = paddingOf(left);
    fragments = undefined;

    if (next.type === 'S') {
      if (!next.gnu) throw new TarFault('a sparse file that is not in GNU format');
      const map = mapFromBlock(bytes, true);
      next.size = map.realSize;
      fragments = [];
      return onSparseBlock(map);
    }
    const pax = extensions.pax;
    const version = pax === undefined ? 'none' : sparseVersion(pax);
    if (version === 'unknown') extensions.doubts.push('a GNU sparse format that is not known');
    if (pax !== undefined && (version === 'in-records' || version === 'in-data')) {
      if (bodiless) throw new TarFault('a sparse map on a member that has no contents');
      next.name = pax.get('GNU.sparse.name') || next.name;
      next.size = sparseSize(pax) ?? next.size;
      if (version === 'in-data') {
        lineMap = makeLineMap();
        state = 'sparse-lines';
        return;
      }
      fragments = mapFromRecords(pax);
    }
    begin(next);
  }

  function onSparseBlock(map: { fragments: Fragment[]; extended: boolean }): void {
    fragments?.push(...map.fragments);
    if ((fragments?.length ?? 0) * 24 > limits.special) throw new TarFault('a sparse map that is too long');
    if (map.extended) state = 'sparse-blocks';
    else if (header !== undefined) begin(header);
  }

  function onSparseLines(bytes: Uint8Array): void {
    left -= BLOCK;
    if (left < 0) throw new TarFault('a sparse map that is cut off');
    fragments = lineMap?.(Buffer.from(bytes).toString('latin1'));
    if (fragments !== undefined && header !== undefined) begin(header);
  }

  /** The member's description is complete. */
  function begin(from: TarHeader): void {
    if (from.name.length > limits.path || from.linkName.length > limits.path)
      throw new TarLimitError(`a name of more than ${limits.path} bytes`);
    names += from.name.length + from.linkName.length;
    if (names > limits.names) throw new TarLimitError(`names and attributes of more than ${limits.names} bytes`);
    if (fragments !== undefined) {
      checkFragments(fragments, from.size, left);
      holes += from.size - left;
      if (holes > limits.holes) throw new TarLimitError(`holes of more than ${limits.holes} bytes in sparse files`);
    }
    member = memberOf(from, kindOf(from), extensions, handler.anomaly);
    extensions = { doubts: [] };
    if (member !== undefined) handler.member(member);
    if (member?.kind !== 'file') return skip(left + padding);
    position = fragmentAt = 0;
    state = 'data';
    if (left === 0) endOfData();
  }

  function onData(bytes: Uint8Array): void {
    if (fragments === undefined) return handler.data(bytes);
    let rest = bytes;
    while (rest.length > 0) {
      const fragment = fragments[fragmentAt];
      if (fragment === undefined) throw new TarFault('a sparse map that does not fit the stored bytes');
      zeros(fragment.offset - position);
      const taken = Math.min(rest.length, fragment.offset + fragment.length - position);
      if (taken > 0) handler.data(rest.subarray(0, taken));
      position += taken;
      rest = rest.subarray(taken);
      if (position === fragment.offset + fragment.length) fragmentAt++;
    }
  }

  function zeros(count: number): void {
    for (let todo = count; todo > 0; todo -= ZEROS.length) handler.data(ZEROS.subarray(0, Math.min(todo, ZEROS.length)));
    position += count;
  }

  function endOfData(): void {
    if (fragments !== undefined && member !== undefined) zeros(member.size - position);
    handler.close();
    skip(padding);
  }

  function skip(count: number): void {
    left = count;
    state = count > 0 ? 'skip' : 'header';
  }

  /** Does what the state asks for with what is in `chunk` from `at`; returns where the next step begins. */
  function step(chunk: Uint8Array, at: number): number {
    switch (state) {
      case 'stopped':
        return chunk.length;
      case 'ended': {
        const rest = chunk.subarray(at);
        if (behindEnd > 0 || !isZero(rest)) behindEnd += rest.length;
        return chunk.length;
      }
      case 'special':
      case 'data':
      case 'skip': {
        const part = chunk.subarray(at, at + left);
        if (state === 'special') special.set(part, special.length - left);
        else if (state === 'data') onData(part);
        left -= part.length;
        if (left === 0) {
          if (state === 'special') onSpecial();
          else if (state === 'data') endOfData();
          else state = 'header';
        }
        return at + part.length;
      }
      case 'header':
      case 'second-zero':
      case 'sparse-blocks':
      case 'sparse-lines': {
        if (filled === 0 && chunk.length - at >= BLOCK) {
          onBlock(chunk.subarray(at, at + BLOCK));
          return at + BLOCK;
        }
        const part = chunk.subarray(at, at + BLOCK - filled);
        block.set(part, filled);
        filled += part.length;
        if (filled === BLOCK) {
          filled = 0;
          onBlock(block);
        }
        return at + part.length;
      }
    }
  }

  /** Go stops at what it cannot read; so does this, and says so. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof TarFault)) throw error;
      const detail = `${error.message}; nothing behind it is read`;
      handler.anomaly(member === undefined ? { code: 'bad-header', detail } : { code: 'bad-header', path: member.path, detail });
      state = 'stopped';
    }
  }

  function onEnd(): void {
    if (state === 'stopped') return;
    if (behindEnd > 0) handler.anomaly({ code: 'data-after-end', detail: `${behindEnd} bytes behind the end marker` });
    const between = state === 'header' || state === 'second-zero' || state === 'ended';
    if (!between || filled > 0)
      handler.anomaly({ code: 'truncated', detail: 'the tar ends within a member', ...(member && { path: member.path }) });
    else if (extensions.pax ?? extensions.longName ?? extensions.longLink)
      handler.anomaly({ code: 'bad-header', detail: 'an extended header that no member follows' });
  }

  return {
    write: (chunk) =>
      guarded(() => {
        let at = 0;
        while (at < chunk.length) at = step(chunk, at);
      }),
    end: () => guarded(onEnd),
  };
}

/** Reads a whole stream; see {@link makeTarReader}. */
export async function readTar(bytes: AsyncIterable<Uint8Array>, handler: TarHandler, limits?: TarLimits): Promise<void> {
  const reader = makeTarReader(handler, limits);
  for await (const chunk of bytes) reader.write(chunk);
  reader.end();
}

function paddingOf(size: number): number {
  const over = size % BLOCK;
  return over === 0 ? 0 : BLOCK - over;
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (part[0] !== 0 || Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}
