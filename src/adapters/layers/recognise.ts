/** What a file says that it is, out of its bytes as they pass. Bounded in time and memory; it names, and proves nothing. */
import type { Claim } from '../../model/inventory.ts';
import { byText } from '../../model/path.ts';
import { dataRanges, type Range } from './elf.ts';

export type Recogniser = { data(bytes: Buffer): void; end(): Claim[] };

/** Characters behind the beginning of a version string that are looked at, and kept from one piece to the next. */
const WINDOW = 128;
/** Claims of one file: a program bundles some few libraries. */
const CLAIMS_MAX = 16;
/** Places of one file that are looked at closer; an honest one has some ten. */
const HITS_MAX = 1_000;
/** Bytes at the beginning in which program headers stand. */
const HEAD_MAX = 4096;
/** Bytes. npm's own is 7 kB; what is larger is no description of a module. */
const MANIFEST_BYTES_MAX = 64 * 1024;

/** Beginnings of the strings below, one expression for all: this is what costs, so that it is kept simple. */
const BEGINNING =
  /OpenSSL \d|OPENSSLDIR: "|flate 1\.\d|nginx\/1|BusyBox v|libcurl\/\d|libpng version|SQLite format 3|libjpeg-turbo v|expat_\d|OpenSSH_\d|Lua 5\.|GNU C Library \(|Go buildinf:/g;

/** Only libcrypto holds this; its version alone also stands in what was merely built with it. */
const OPENSSL_ITSELF = 'OPENSSLDIR';

/** Strings that the projects themselves compile in to say their version. */
const STRINGS: readonly { name: string; string: RegExp }[] = [
  { name: 'openssl', string: /^OpenSSL (\d+\.\d+\.\d+[a-z]{0,2})(?:[-+][\w.+-]{1,20})? +\d{1,2} [A-Z][a-z]{2} \d{4}/ },
  { name: OPENSSL_ITSELF, string: /^OPENSSLDIR: "/ },
  { name: 'zlib', string: /^flate (\d+(?:\.\d+){1,3})(?:\.f)? Copyright 1995/ },
  { name: 'nginx', string: /^nginx\/(\d+\.\d+\.\d+)/ },
  { name: 'busybox', string: /^BusyBox v(\d+\.\d+\.\d+)/ },
  { name: 'curl', string: /^libcurl\/(\d+\.\d+\.\d+)/ },
  { name: 'libpng', string: /^libpng version (\d+\.\d+\.\d+)/ },
  { name: 'sqlite', string: /^SQLite format 3\0/ },
  { name: 'libjpeg-turbo', string: /^libjpeg-turbo version (\d+\.\d+\.\d+)/ },
  { name: 'expat', string: /^expat_(\d+\.\d+\.\d+)\0/ },
  // Clients also list the servers of old whose faults they know.
  { name: 'openssh', string: /^OpenSSH_(\d+\.\d+p\d+)[ \0]/ },
  { name: 'lua', string: /^Lua (5\.\d{1,2}\.\d{1,2}) {2}Copyright/ },
  { name: 'glibc', string: /^GNU C Library \([^)\0]{1,60}\) \w+ release version (\d+\.\d+)/ },
  // debug/buildinfo: 32 bytes with the magic, then the length and the version.
  { name: 'go', string: /^Go buildinf:[^]{18}[^](?:go)(\d+\.\d+(?:\.\d+)?)/ },
];

/** For a file whose first bytes say ELF. Its bytes come in pieces of any size, from the first one on. */
export function recogniseElf(): Recogniser {
  const found = new Map<string, Claim>();
  let hits = 0;
  let at = 0; // offset in the file of the next byte
  let head: Buffer | undefined = Buffer.alloc(0);
  let ranges: Range[] = [];
  let tail = '';

  function look(text: string, last: boolean): void {
    BEGINNING.lastIndex = 0;
    for (let hit = BEGINNING.exec(text); hit !== null; hit = BEGINNING.exec(text)) {
      // Cut off at the end of this piece: it stands in the next one as well.
      if (!last && hit.index > text.length - WINDOW) return;
      if (++hits > HITS_MAX || found.size >= CLAIMS_MAX) return;
      const window = text.slice(hit.index, hit.index + WINDOW);
      for (const { name, string } of STRINGS) {
        const match = string.exec(window);
        if (match === null) continue;
        const claim: Claim = { name, ...(match[1] === undefined ? {} : { version: match[1].slice(0, 32) }) };
        found.set(`${claim.name} ${claim.version ?? ''}`, claim);
        break;
      }
    }
  }

  function flush(): void {
    if (tail !== '') look(tail, true);
    tail = '';
  }

  function scan(bytes: Buffer): void {
    const end = at + bytes.length;
    while (ranges[0] !== undefined && ranges[0].start < end) {
      const { start, end: stop } = ranges[0];
      const text = tail + bytes.toString('latin1', Math.max(start - at, 0), Math.min(stop, end) - at);
      if (hits <= HITS_MAX) look(text, false);
      tail = text.slice(-WINDOW);
      if (stop > end) break;
      flush();
      ranges.shift();
    }
    at = end;
  }

  return {
    data(bytes) {
      if (head === undefined) return scan(bytes);
      head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
      if (head.length < HEAD_MAX) {
        head = Buffer.from(head); // the bytes are only borrowed
        return;
      }
      const first = head;
      head = undefined;
      ranges = dataRanges(first);
      scan(first);
    },
    end() {
      if (head !== undefined) {
        ranges = dataRanges(head);
        scan(head);
      }
      flush();
      const itself = found.has(`${OPENSSL_ITSELF} `);
      return [...found.values()]
        .filter(({ name }) => name !== OPENSSL_ITSELF && (name !== 'openssl' || itself))
        .sort((a, b) => byText(a.name, b.name) || byText(a.version ?? '', b.version ?? ''));
    },
  };
}

/** Where npm and its like describe a module. */
const MANIFEST = /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;
const MODULE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]{0,100}\/)?[a-z0-9._~-]{1,100}$/i;
const MODULE_VERSION = /^\d[\w.+-]{0,60}$/;

/** Whether a file of this name and size describes a module. */
export function isManifest(path: string, size: number): boolean {
  return size <= MANIFEST_BYTES_MAX && MANIFEST.test(path);
}

/** For a package.json: its `name` and `version`. npm's package.json(5). */
export function recogniseManifest(): Recogniser {
  const parts: Buffer[] = [];
  return {
    data(bytes) {
      parts.push(Buffer.from(bytes));
    },
    end() {
      try {
        const { name, version } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { name?: unknown; version?: unknown };
        if (typeof name !== 'string' || !MODULE_NAME.test(name)) return [];
        return [{ name, ...(typeof version === 'string' && MODULE_VERSION.test(version) ? { version } : {}) }];
      } catch {
        return []; // not JSON, or null: no module
      }
    },
  };
}
