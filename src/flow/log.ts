import type { Digest } from '../model/digest.ts';
import type { Blobs } from '../ports.ts';

const LOG_BYTES_MAX = 8 * 1024 * 1024; // the builder caps earlier; this bounds memory whatever the builder is

/** Passes log lines on and keeps them, so that the whole log can be stored when the build has ended. */
export function keepLog(blobs: Blobs, tell: (line: string) => void): { line: (line: string) => void; store: () => Promise<Digest> } {
  const lines: string[] = [];
  let bytes = 0;
  return {
    line(line) {
      tell(line);
      bytes += line.length + 1;
      if (bytes <= LOG_BYTES_MAX) lines.push(line);
    },
    store: async () => (await blobs.put([Buffer.from(lines.map((line) => `${line}\n`).join(''))])).digest,
  };
}
