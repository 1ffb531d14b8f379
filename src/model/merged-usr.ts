import type { Path } from './path.ts';

const MOVED = /^\/(?:bin|sbin|lib|lib32|lib64|libo32|libx32)\//;

/**
 * The one name of a file that has two since /usr was merged: `/bin/ls` and `/usr/bin/ls` are one file on every Debian, and
 * packages, indexes and `COPY --from` use either. usrmerge(5); https://wiki.debian.org/UsrMerge.
 */
export function mergedPath(path: Path): Path {
  return MOVED.test(path) ? `/usr${path}` : path;
}

/** The path and, where it has one, its other name. */
export function namesOf(path: Path): Path[] {
  const merged = mergedPath(path);
  const short = merged.startsWith('/usr/') && MOVED.test(merged.slice(4)) ? merged.slice(4) : merged;
  return merged === short ? [merged] : [merged, short];
}
