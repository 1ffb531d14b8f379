import type { Entry } from '../model/inventory.ts';
import type { ExpectedFile, PackagedPath } from '../model/packaged.ts';
import type { Path } from '../model/path.ts';
import { type AccountLine, ATTRIBUTIONS, type Difference } from '../model/verdict.ts';
import { baseAccounts } from './attribute-base.ts';
import { type Account, archiveAccounts, generatedAccounts, officialAccount } from './attribute-debian.ts';
import { statusFolderAccounts } from './attribute-status-folder.ts';
import { downloadAccounts } from './attribute-download.ts';
import { thirdPartyAccounts } from './attribute-third-party.ts';
import { otherCommits, sourceAccounts } from './attribute-source.ts';
import { type Case, formContext, type ImageSide, sideOf } from './case.ts';
import { sameFacts } from './compare-facts.ts';
import { admits } from './compare.ts';
import { isCode, leadsToCode } from './is-code.ts';
import { aptLists } from './rules/apt-lists.ts';
import { rulesFor, STEP_RULES } from './rules/index.ts';
import { ruleId } from './rules/rule.ts';

/**
 * The account of every path of the published image, in the order of the paths: the first attribution that holds. A path that
 * a verified package owns with other bytes is never excused by a rebuild: a poisoned base image reproduces perfectly.
 */
export function attribute(file: Case, differences: readonly Difference[]): AccountLine[] {
  const madeByRebuild = rebuildMakes(file);
  const accountOf = firstOf(
    (entry) => officialAccount(file, entry),
    archiveAccounts(file),
    statusFolderAccounts(file),
    generatedAccounts(file),
    guard(file, madeByRebuild),
    thirdPartyAccounts(file),
    sourceAccounts(file, madeByRebuild),
    downloadAccounts(file, madeByRebuild),
    baseAccounts(file, madeByRebuild),
    (entry) => (madeByRebuild(entry) ? { attribution: 'rebuilt', evidence: {} } : undefined),
    volatileAccounts(file, differences),
  );
  const unexplained = explainUnexplained(file);
  const lines = file.published.inventory.entries.map((entry): AccountLine => {
    const { attribution, evidence } = accountOf(entry) ?? unexplained(entry);
    const { path, kind, size, digest, layer } = entry;
    return { path, kind, size, ...(digest === undefined ? {} : { digest }), layer, code: isCode(path, entry), attribution, evidence };
  });
  accountForParents(file, lines);
  return lines;
}

type Step = (entry: Entry) => Account | undefined;

function firstOf(...steps: Step[]): Step {
  return (entry) => {
    for (const step of steps) {
      const account = step(entry);
      if (account !== undefined) return account;
    }
    return undefined;
  };
}

/** Whether a rebuild of ours has the same file there, in every fact but its time; where two differ, either says what the source makes. */
export function rebuildMakes({ rebuilt, rebuiltAgain }: Pick<Case, 'rebuilt' | 'rebuiltAgain'>): (entry: Entry) => boolean {
  const makes = (side: ImageSide | undefined, entry: Entry): boolean => {
    const other = side?.entries.get(entry.path);
    return other !== undefined && sameFacts(entry, other);
  };
  return (entry) => makes(rebuilt, entry) || makes(rebuiltAgain, entry);
}

/** PEP 3147: where the interpreter of Debian's packages keeps compiled modules, with the module's path in front. */
const PACKAGED_PYC = /^(\/usr\/lib\/python3(?:\.\d+)?\/(?:.*\/)?)__pycache__\/([^/]+?)\.cpython-\d+(?:\.opt-[12])?\.pyc$/;

/** Stops the steps behind it for what only a package may make: files it owns with other bytes, and what its modules compile to. */
function guard(file: Case, madeByRebuild: (entry: Entry) => boolean): Step {
  const fromSource = sourceAccounts(file, madeByRebuild);
  return (entry) => {
    const packaged = file.expectation.files.get(entry.path);
    if (packaged?.state === 'changed' && isReplaced(packaged)) {
      // Data that the source itself brings is what it says it is; code over a package's code is not excused by anything.
      const own = isReplacedCode(packaged) ? undefined : fromSource(entry);
      return (
        own ?? {
          attribution: 'unexplained',
          evidence: { package: packaged.expected.package, deb: packaged.expected.deb, note: noteOf(packaged) },
        }
      );
    }
    if (!isUnconfirmedBytecode(file, entry.path)) return undefined;
    const source = sourceOfPyc(file, entry.path);
    return {
      attribution: 'unexplained',
      evidence: {
        package: source?.package ?? '',
        ...(source === undefined ? {} : { deb: source.deb }),
        note: "not what the package's module compiles to",
      },
    };
  };
}

function sourceOfPyc(file: Case, path: Path): ExpectedFile | undefined {
  const [, folder, module] = PACKAGED_PYC.exec(path) ?? [];
  return module === undefined ? undefined : file.expectation.files.get(`${folder}${module}.py`)?.expected;
}

/** Compiled code of a packaged module that the re-installation did not make; only asked where that made no such file. */
export function isUnconfirmedBytecode(file: Case, path: Path): boolean {
  return file.reinstalled !== undefined && sourceOfPyc(file, path) !== undefined;
}

type Changed = PackagedPath & { state: 'changed' };

/** Another file in the place of the package's, beyond what an administrator may edit or a change of mode or owner. */
export function isReplaced(packaged: Changed): boolean {
  return (
    !isEdited(packaged) &&
    packaged.aspects.some((aspect) => aspect === 'kind' || aspect === 'content' || aspect === 'target' || aspect === 'device')
  );
}

/** dpkg(1): a conffile that is still a regular file may say what its administrator wants. */
export function isEdited({ expected, found, aspects }: Changed): boolean {
  return expected.conffile && found.kind === 'file' && expected.kind === 'file' && aspects.includes('content');
}

/** Whether what was replaced, or what stands there now, is run, loaded, or leads to what is. */
export function isReplacedCode({ expected, found }: Changed): boolean {
  return [expected, found].some((facts) => isCode(found.path, facts) || leadsToCode(found.path, facts));
}

function noteOf({ expected, found }: Changed): string {
  if (expected.kind !== found.kind) return `the package holds a ${expected.kind} here, not a ${found.kind}`;
  if (expected.kind === 'symlink') return `the package's link leads to ${expected.target ?? ''}`;
  return `the package holds ${expected.digest ?? 'something else'} here`;
}

/** Equal to the rebuild's after a named rule; with no rebuild, of the harmless form that a rule knows. */
function volatileAccounts(file: Case, differences: readonly Difference[]): Step {
  const { rebuilt, published } = file;
  if (rebuilt === undefined) {
    const context = formContext(file);
    return (entry) => {
      const side = sideOf(published, entry);
      const rule = rulesFor(entry.path).find((one) => admits(one, entry) && one.form?.(side, context) === true);
      return rule === undefined ? undefined : { attribution: 'volatile', evidence: { rule: ruleId(rule) } };
    };
  }
  const normalised = new Map<Path, Difference>();
  for (const difference of differences) if (difference.cause === 'normalised') normalised.set(difference.path, difference);
  return (entry) => {
    const difference = normalised.get(entry.path);
    if (difference?.rule === undefined) return undefined;
    const other = rebuilt.entries.get(entry.path)?.digest;
    return { attribution: 'volatile', evidence: { rule: difference.rule, ...(other === undefined ? {} : { rebuilt: other }) } };
  };
}

function explainUnexplained(file: Case): (entry: Entry) => Account {
  const otherCommit = otherCommits(file);
  return (entry) => {
    const elsewhere = otherCommit(entry);
    if (elsewhere !== undefined) {
      const { path: sourcePath, commit: revision } = elsewhere;
      return {
        attribution: 'unexplained',
        evidence: { sourcePath, revision, note: `the bytes of ${sourcePath} at another commit, ${revision}` },
      };
    }
    const packaged = file.expectation.files.get(entry.path);
    if (packaged?.state === 'changed') {
      const { package: purl, deb } = packaged.expected;
      return {
        attribution: 'unexplained',
        evidence: { package: purl, deb, note: `the package gives it another ${packaged.aspects.join(' and ')}` },
      };
    }
    const found = file.found.get(entry.path);
    if (found !== undefined) {
      const { package: purl, deb } = found.expected;
      const note = `the bytes are those of ${nameOf(file, purl)}, which gives it another ${found.aspects.join(' and ')}; no database names the package`;
      return { attribution: 'unexplained', evidence: { package: purl, deb, note } };
    }
    const other = file.others.get(entry.path);
    if (other !== undefined) {
      const { package: purl, deb } = other;
      const note = `${nameOf(file, purl)} of the archive has other bytes here, and no verified database says which package or version this is`;
      return { attribution: 'unexplained', evidence: { package: purl, deb, note } };
    }
    if (aptLists.applies(entry.path))
      return {
        attribution: 'unexplained',
        evidence: { note: 'no signature that holds says that an archive has these bytes under this name' },
      };
    const note =
      file.rebuilt === undefined
        ? 'no verified package holds it, and there is no rebuild to compare with'
        : file.rebuilt.entries.has(entry.path)
          ? 'no verified package holds it, and the rebuild makes another file here'
          : 'no verified package holds it, and the rebuild does not make it';
    return { attribution: 'unexplained', evidence: { note } };
  };
}

/** `nginx 1.22.1-9` for the purl of a package whose .deb was read; of one that was only looked into, out of the purl itself. */
function nameOf(file: Case, purl: string): string {
  const known = file.verified.get(purl);
  if (known !== undefined) return `${known.name} ${known.version}`;
  const [, name = purl, version = ''] = /\/([^/@]+)@([^?]+)/.exec(purl) ?? [];
  return `${decodeURIComponent(name)} ${decodeURIComponent(version)}`.trimEnd();
}

/** Folders that are made on the way to a file: they share the best account of what lies in them. */
function accountForParents(file: Case, lines: AccountLine[]): void {
  const best = new Map<Path, number>();
  const { entries } = file.published.inventory;
  // A folder sorts before what it holds, so from the end everything in it comes first.
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = lines[index];
    const entry = entries[index];
    if (line === undefined || entry === undefined) continue;
    const inside = best.get(line.path);
    if (line.attribution === 'unexplained' && inside !== undefined && isMadeOnTheWay(entry) && !file.expectation.files.has(line.path)) {
      line.attribution = ATTRIBUTIONS[Math.max(inside, ATTRIBUTIONS.indexOf('debian-generated'))] ?? 'unexplained';
      line.evidence = { rule: ruleId(STEP_RULES.parentDirectory) };
    }
    if (line.attribution === 'unexplained') continue;
    const parent = line.path.slice(0, line.path.lastIndexOf('/')) || '/';
    const rank = ATTRIBUTIONS.indexOf(line.attribution);
    best.set(parent, Math.min(rank, best.get(parent) ?? rank));
  }
}

function isMadeOnTheWay({ kind, mode, uid, gid, xattrs }: Entry): boolean {
  return kind === 'directory' && mode === 0o755 && uid === 0 && gid === 0 && xattrs === undefined;
}
