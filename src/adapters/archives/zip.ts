import { promisify } from 'node:util';
import { type Entry, open, type Options, type ZipFile } from 'yauzl';
import { textFromBytes } from '../../model/path.ts';
import type { Members } from './members.ts';

const openZip = promisify<string, Options, ZipFile>(open);

/** The regular files that the central directory names: APPNOTE 6.3.10. What is encrypted or compressed in rarer ways is passed over. */
export async function readZip(file: string, members: Members): Promise<void> {
  // Names are bytes, and their form is for whoever unpacks them to refuse.
  const zip = await openZip(file, { lazyEntries: true, decodeStrings: false, validateEntrySizes: true });
  try {
    for (let entry = await next(zip); entry !== undefined; entry = await next(zip)) {
      const path = textFromBytes(entry.fileName as unknown as Buffer);
      if (path.endsWith('/')) continue;
      if (!readable(entry)) {
        members.leave();
        continue;
      }
      const member = members.begin(path);
      const stream = await promisify(zip.openReadStream.bind(zip) as (one: Entry, done: Opened) => void)(entry);
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        members.spend(chunk.length);
        member.data(chunk);
      }
      member.end();
    }
  } finally {
    zip.close();
  }
}

type Opened = (error: Error | null, stream: NodeJS.ReadableStream) => void;

/** 0: stored, 8: deflated; the lowest bit says encrypted. */
function readable({ compressionMethod, generalPurposeBitFlag }: Entry): boolean {
  return (compressionMethod === 0 || compressionMethod === 8) && (generalPurposeBitFlag & 1) === 0;
}

function next(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const off = (): void => {
      zip.removeListener('entry', found);
      zip.removeListener('end', ended);
      zip.removeListener('error', failed);
    };
    const found = (entry: Entry): void => (off(), resolve(entry));
    const ended = (): void => (off(), resolve(undefined));
    const failed = (error: Error): void => (off(), reject(error));
    zip.on('entry', found).on('end', ended).on('error', failed);
    zip.readEntry();
  });
}
