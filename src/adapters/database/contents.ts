import { debianVersionKey } from '../../model/debian-version-key.ts';
import { hexOf } from '../../model/digest.ts';
import type { FileSet, ImageContents } from '../../model/image-contents.ts';
import type { VerdictRecord } from '../../model/verification.ts';
import { plain, text } from './rows.ts';
import type { Query } from './sql.ts';

/** Of `file_set`: a package whose files are not known. */
const NO_SET = '0';
/** Files in one statement; some 3 MB. */
const FILES_AT_ONCE = 20_000;

/**
 * Stores what a judged image is found by; `seq` is its verification's. Everything is inserted in a fixed order: two transactions that
 * insert the same in different orders would block each other.
 */
export async function insertContents(query: Query, seq: string, { packages, contents }: VerdictRecord): Promise<void> {
  const sets = await insertFileSets(query, contents);
  const setOf = (set: FileSet | undefined): string => (set === undefined ? NO_SET : (sets.get(set.digest) ?? NO_SET));
  const setsOf = packages.map((_, index) => setOf(contents?.packages.get(index)));
  await insertPackages(query, seq, contents?.release ?? '', packages, setsOf);
  if (contents === undefined) return;
  const { layers, files } = contents;
  await query(
    `insert into verification_layers (verification, layer, digest, line, created_by)
     select $1::bigint, given.* from unnest($2::int[], $3::text[], $4::int[], $5::text[]) as given`,
    [
      seq,
      layers.map((_, layer) => layer),
      layers.map(({ digest }) => digest),
      layers.map(({ line }) => line ?? null),
      layers.map(({ createdBy }) => (createdBy === undefined ? null : plain(createdBy))),
    ],
  );
  await query(
    `insert into verification_file_sets (verification, file_set, layer, hidden)
     select $1::bigint, given.* from unnest($2::bigint[], $3::int[], $4::boolean[]) as given`,
    [seq, files.map(({ set }) => setOf(set)), files.map(({ layer }) => layer), files.map(({ hidden }) => hidden)],
  );
}

/** Ids by digest. The files of a set are written by whoever writes the set, in the same transaction. */
async function insertFileSets(query: Query, contents: ImageContents | undefined): Promise<Map<string, string>> {
  const sets = new Map(
    [...(contents?.packages.values() ?? []), ...(contents?.files ?? []).map(({ set }) => set)].map((set) => [set.digest, set]),
  );
  const digests = [...sets.keys()].toSorted();
  if (digests.length === 0) return new Map();
  const made = await query(
    `insert into file_sets (digest) select given.digest from unnest($1::text[]) as given (digest) order by 1
     on conflict (digest) do nothing returning id, digest`,
    [digests],
  );
  const rows = made.flatMap((row) => {
    const id = text(row, 'id');
    return (sets.get(text(row, 'digest') as FileSet['digest'])?.files ?? []).map((file) => ({ id, ...file }));
  });
  for (let start = 0; start < rows.length; start += FILES_AT_ONCE) {
    const some = rows.slice(start, start + FILES_AT_ONCE);
    await query(
      `insert into file_set_files (digest, file_set, path)
       select decode(given.digest, 'hex'), given.file_set, given.path
       from unnest($1::text[], $2::bigint[], $3::text[]) as given (digest, file_set, path)`,
      [some.map(({ digest }) => hexOf(digest)), some.map(({ id }) => id), some.map(({ path }) => plain(path))],
    );
  }
  const all = await query('select id, digest from file_sets where digest = any($1::text[])', [digests]);
  return new Map(all.map((row) => [text(row, 'digest'), text(row, 'id')]));
}

async function insertPackages(
  query: Query,
  seq: string,
  release: string,
  packages: VerdictRecord['packages'],
  sets: readonly string[],
): Promise<void> {
  if (packages.length === 0) return;
  const hex = (version: string): string => Buffer.from(debianVersionKey(version)).toString('hex');
  const columns = [
    packages.map(({ name }) => plain(name)),
    packages.map(({ version }) => plain(version)),
    packages.map(({ architecture }) => plain(architecture)),
    packages.map(({ source }) => plain(source)),
    packages.map(({ sourceVersion }) => plain(sourceVersion)),
    sets,
  ];
  await query(
    `insert into packages (name, version, architecture, source, source_version, file_set, release, version_key, source_version_key)
     select name, version, architecture, source, source_version, file_set, $9, decode(key, 'hex'), decode(source_key, 'hex')
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
       as given (name, version, architecture, source, source_version, file_set, key, source_key) order by 1, 2, 3, 4, 5, 6
     on conflict do nothing`,
    [...columns, packages.map(({ version }) => hex(version)), packages.map(({ sourceVersion }) => hex(sourceVersion)), plain(release)],
  );
  await query(
    `insert into verification_packages (package, verification, layer)
     select p.id, $8::bigint, given.layer
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[])
       as given (name, version, architecture, source, source_version, file_set, layer)
     cross join lateral (
       select id from packages held
       where held.name = given.name and held.version = given.version and held.architecture = given.architecture
         and held.source = given.source and held.source_version = given.source_version and held.file_set = given.file_set
         and held.release = $9
       limit 1
     ) p
     on conflict do nothing`,
    [...columns, packages.map(({ layer }) => layer ?? null), seq, plain(release)],
  );
}
