import type { Digest } from '../../model/digest.ts';
import type { FileFacts } from '../../model/inventory.ts';
import type { Path } from '../../model/path.ts';

/** One file of one image as a rule sees it; `bytes` are there where `wantsContent` keeps them. Hostile. */
export type Side = { facts: FileFacts & { path: Path }; bytes: Uint8Array | undefined };

/** What a rule may know beside the two files. */
export type RuleContext = {
  /** Names of packages that are in another version on the other side, where both are accounted for. */
  drifted: ReadonlySet<string>;
  /** The file beside it in the same image: `neighbour('/etc/passwd')`. */
  neighbour(side: 'published' | 'other', path: Path): Side | undefined;
  /** Which bytes apt's lists of an image may have by what was verified of them; undefined where nobody looked, as for a rebuild. */
  lists(side: 'published' | 'other'): ReadonlyMap<Path, ReadonlySet<Digest>> | undefined;
  /** Names of the verified packages, without architecture. */
  verified: ReadonlySet<string>;
  /** The name of an id of the published image, by its own /etc/passwd. */
  userOf(uid: number): string | undefined;
  /** True for root, and for an account of the published image that the other side makes as well, by its name. */
  isSystemUser(uid: number): boolean;
  isSystemGroup(gid: number): boolean;
  /** True where both ids mean the same account by name; static ids are compared as numbers. */
  sameUser(published: number, other: number): boolean;
  sameGroup(published: number, other: number): boolean;
};

/**
 * Something small and pure that says why two files with different bytes amount to the same, or that a file has a harmless
 * form. It never excuses a mode, an owner or an extended attribute: those are compared whatever a rule says.
 */
export type Rule = {
  name: string;
  version: number;
  reason: string;
  applies(path: Path): boolean;
  /** Which facts a file may have at all; {@link isPlain} where absent. */
  admits?(facts: Side['facts']): boolean;
  /** The published file against the rebuilt one: equal after normalisation. */
  equal?(published: Side, rebuilt: Side, context: RuleContext): boolean;
  /** The published file against the re-installed one: what the packages make, whatever order they came in. */
  regenerates?(published: Side, reinstalled: Side, context: RuleContext): boolean;
  /**
   * The file follows, as a whole, from what is verified: what a tool of Debian's is known to write there, or what is recomputed
   * from files that the re-installation holds (the other side). As good as a file that the re-installation made itself.
   */
  known?(published: Side, context: RuleContext): boolean;
  /** The file alone, where there is nothing to compare with: harmless whatever it says. */
  form?(published: Side, context: RuleContext): boolean;
  /** True where `form` may also excuse that only one of the two images has the file. */
  mayBeAbsent?: boolean;
  /** True where `form` holds every byte against what somebody has signed: nothing is left that was not compared. */
  signed?: true;
  /** True where even `equal` could only look at the form: the file is named as not compared. */
  formOnly?(published: Side): boolean;
  /** True where the file follows from the installed packages, so that other packages make it differ. */
  followsPackages?: boolean;
};

/** A file that nothing runs and only its owner writes: regular, no x bit, no special bit, no attribute, neither ELF nor script. */
export function isPlain(facts: FileFacts): boolean {
  if (facts.kind !== 'file' || (facts.mode & 0o7133) !== 0) return false;
  if (facts.xattrs !== undefined && Object.keys(facts.xattrs).length > 0) return false;
  return facts.magic === undefined;
}

export function ruleId(rule: { name: string; version: number }): string {
  return `${rule.name}@${rule.version}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a file; undefined where its bytes were not kept, or are no text. */
export function textOf(side: Side): string | undefined {
  // No byte is as good as an empty file, which need not be kept.
  if (side.facts.kind === 'file' && side.facts.size === 0) return '';
  if (side.bytes === undefined) return undefined;
  try {
    const text = utf8.decode(side.bytes);
    // Terminal control sequences have no place in what is called a log.
    return /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

export function linesOf(side: Side): string[] | undefined {
  const text = textOf(side);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

/** Compares what `read` makes of both files; what cannot be read is never equal. */
export function equalBy(read: (side: Side, context: RuleContext) => string[] | undefined): NonNullable<Rule['equal']> {
  return (published, rebuilt, context) => {
    const a = read(published, context);
    const b = a === undefined ? undefined : read(rebuilt, context);
    return a !== undefined && b !== undefined && sameList(a, b);
  };
}

export function alwaysAt(...paths: Path[]): (path: Path) => boolean {
  const set = new Set(paths);
  return (path) => set.has(path);
}
