import type { FileFacts } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';

/** What interpreters, the loader and the kernel run although no mode bit says so: imported modules, libraries, class files. */
const CODE_NAME =
  /\.(?:so(?:\.[0-9][0-9A-Za-z.]*)?|ko|py|pyc|pyo|pth|egg|whl|pl|pm|ph|rb|js|mjs|cjs|node|php|phar|lua|luac|tcl|sh|bash|jar|class|war|ear|el|elc|wasm|r|jl|scm|go)$/i;
/** Examples and scripts of web pages: shown to readers, run by nothing in the image. */
const NOT_RUN = /^\/usr\/share\/(?:doc|info|man|javascript)\//;
/** Every engine mounts its own over these three in every container, so whatever mode a builder left, nothing can run them. */
const MOUNTED: ReadonlySet<Path> = new Set(['/etc/hosts', '/etc/hostname', '/etc/resolv.conf']);

/**
 * Whether a file is counted among the executables. Wider than the x bit, because a shared library, a Python module or a JAR
 * needs none; an attacker who changes one of them changes what runs. Names decide beside the first bytes, so that neither a
 * missing x bit nor a stripped header takes a file out of the count.
 */
export function isCode(path: Path, facts: Pick<FileFacts, 'kind' | 'mode' | 'magic'>): boolean {
  if (facts.kind !== 'file') return false;
  if ((facts.mode & 0o111) !== 0 && !(MOUNTED.has(path) && facts.magic === undefined && (facts.mode & 0o7000) === 0)) return true;
  if (facts.magic === 'elf' || facts.magic === 'script' || facts.magic === 'pyc') return true;
  return CODE_NAME.test(path) && !NOT_RUN.test(path);
}

/** Folders whose every name is run or loaded: a symbolic link there is as good as a program. */
const CODE_FOLDER =
  /^\/(?:usr\/(?:local\/)?)?(?:bin|sbin|lib|lib32|lib64|libx32|libexec|games)\/|^\/etc\/(?:init\.d|rc[0-9S]\.d|alternatives)\//;

/** A symbolic link that decides what is run: followed from a search path, or named like a library. */
export function leadsToCode(path: Path, facts: Pick<FileFacts, 'kind'>): boolean {
  return facts.kind === 'symlink' && (CODE_FOLDER.test(path) || CODE_NAME.test(path));
}
