/** Source packages small enough to be built in a test, by what a rebuilder's worker runs as well. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type SourceBinary = {
  name: string;
  version: string;
  architecture: string;
  /** What its one file, `/usr/share/<name>/data`, holds: a word of a shell script. */
  text: string;
};

/** As the archive calls it: without the epoch. */
export function debName({ name, version, architecture }: Omit<SourceBinary, 'text'>): string {
  return `${name}_${version.replace(/^\d+:/, '')}_${architecture}.deb`;
}

/** What unpacks a source (a tar with a shell script named `build`) and runs it: the backend of the worker, and of the archive. */
export async function writeBackend(folder: string): Promise<string> {
  const file = join(folder, 'backend.sh');
  const script = `#!/bin/sh
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tar -xf "$1"
SOURCE_DATE_EPOCH=1700000000 sh ./build "$REBUILDERD_OUTDIR"
`;
  await writeFile(file, script);
  await chmod(file, 0o755);
  return file;
}

/** The source that makes these packages. */
export function sourceOf(folder: string, binaries: readonly SourceBinary[]): Promise<Buffer> {
  const steps = binaries.map(
    (one) => `mkdir -p '${one.name}/DEBIAN' '${one.name}/usr/share/${one.name}'
printf '%s' ${one.text} >'${one.name}/usr/share/${one.name}/data'
cat >'${one.name}/DEBIAN/control' <<END
Package: ${one.name}
Version: ${one.version}
Architecture: ${one.architecture}
Maintainer: Test <test@example.org>
Description: test
END
dpkg-deb --root-owner-group --build '${one.name}' "$1/${debName(one)}"
`,
  );
  return sourceWith(folder, `set -eu\numask 022\n${steps.join('')}`);
}

/** A source with this script. */
export async function sourceWith(folder: string, script: string): Promise<Buffer> {
  const place = await mkdtemp(join(folder, 'source-'));
  await writeFile(join(place, 'build'), script);
  const { stdout } = spawnSync('tar', ['-cf', '-', '-C', place, 'build']);
  await rm(place, { recursive: true });
  return stdout;
}

/** Builds a source; gives the .debs by their names in the archive. */
export async function buildSource(
  folder: string,
  backend: string,
  source: Buffer,
  binaries: readonly SourceBinary[],
): Promise<Map<string, Buffer>> {
  const place = await mkdtemp(join(folder, 'built-'));
  const out = join(place, 'out');
  await mkdir(out);
  await writeFile(join(place, 'source.tar'), source);
  const env = { ...process.env, REBUILDERD_OUTDIR: out };
  const { status, stderr } = spawnSync(backend, [join(place, 'source.tar')], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const debs = new Map<string, Buffer>();
  for (const one of binaries) debs.set(debName(one), await readFile(join(out, debName(one))));
  return debs;
}
