import { readFile } from 'node:fs/promises';
import { glob } from 'node:fs/promises';
import { posix } from 'node:path';

/** Paths from the root of the project to the text of the file. */
export type Files = ReadonlyMap<string, string>;

type Import = { target: string; /** Gone when the program runs. */ typeOnly: boolean; /** `import(…)`. */ dynamic: boolean };

export async function readFiles(root: string, folders: readonly string[]): Promise<Files> {
  const files = new Map<string, string>();
  for await (const path of glob(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  ))
    files.set(path, await readFile(posix.join(root, path), 'utf8'));
  return files;
}

const STATIC = /\b(?:import|export)\s+(type\s)?(?:[\w*{}\s,$]*?\sfrom\s*)?['"]([^'"]+)['"]/g;
const DYNAMIC = /\bimport\s*\(\s*(?:['"]([^'"]+)['"]\s*\))?/g;

/** What a file imports; relative names come out as paths from the root, an import whose name is calculated as `?`. */
export function importsOf(path: string, text: string): Import[] {
  const resolve = (name: string): string => (name.startsWith('.') ? posix.join(posix.dirname(path), name) : name);
  const fixed = [...text.matchAll(STATIC)].map(([, type, name = '']) => ({
    target: resolve(name),
    typeOnly: type !== undefined,
    dynamic: false,
  }));
  const called = [...text.matchAll(DYNAMIC)].map(([, name]) => ({
    target: name === undefined ? '?' : resolve(name),
    typeOnly: false,
    dynamic: true,
  }));
  return [...fixed, ...called];
}

/** Every file that is loaded with `start`: types are not, what is imported in a function is where `dynamic` says so. */
export function reachable(files: Files, start: string, dynamic: boolean): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const each of importsOf(path, files.get(path) ?? '')) if (!each.typeOnly && (dynamic || !each.dynamic)) open.push(each.target);
  }
  return seen;
}
