import type { Contents, Entry } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';

/** Names by id, as an image's own files give them: the publisher's word, good for comparing owners by name only. */
export type AccountNames = { users: ReadonlyMap<number, string>; groups: ReadonlyMap<number, string> };

const LINES_MAX = 10_000;

export function accountNames(entries: ReadonlyMap<Path, Entry>, contents: Contents): AccountNames {
  return { users: names(entries, contents, '/etc/passwd'), groups: names(entries, contents, '/etc/group') };
}

/** passwd(5), group(5): name first, id third. The first line of an id counts, as for getpwuid(3). */
function names(entries: ReadonlyMap<Path, Entry>, contents: Contents, path: Path): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const fields of fieldsOf(entries, contents, path)) {
    const id = Number(fields[2]);
    if (/^\d{1,10}$/.test(fields[2] ?? '') && !found.has(id)) found.set(id, fields[0] ?? '');
  }
  return found;
}

/** The lines of a colon-separated file of an image; none where it is missing or was not kept. */
export function fieldsOf(entries: ReadonlyMap<Path, Entry>, contents: Contents, path: Path): string[][] {
  const digest = entries.get(path)?.digest;
  const bytes = digest === undefined ? undefined : contents.get(digest);
  if (bytes === undefined) return [];
  // Latin-1 keeps every byte apart: names are compared, never shown.
  const lines = Buffer.from(bytes).toString('latin1').split('\n', LINES_MAX);
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(':'));
}
