/** `./a//b/` → `a/b`, `` for the top of a tree; undefined for what is absolute or leaves it. */
export function withinTree(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return path.startsWith('/') || parts.includes('..') ? undefined : parts.join('/');
}

/** Where `path` is, seen from `folder`: `../` in front for each folder that it is outside of. Both are relative to one tree. */
export function relativeTo(folder: string, path: string): string | undefined {
  const there = withinTree(path)?.split('/');
  const here = withinTree(folder)
    ?.split('/')
    .filter((part) => part !== '');
  if (there === undefined || here === undefined) return undefined;
  let same = 0;
  while (same < here.length && here[same] === there[same]) same += 1;
  return [...here.slice(same).map(() => '..'), ...there.slice(same)].join('/');
}
