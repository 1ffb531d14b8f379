import type { Entry, FileFacts } from '../../model/inventory.ts';
import type { PackagedPath } from '../../model/packaged.ts';
import type { Path } from '../../model/path.ts';
import type { AccountLine, Severity } from '../../model/verdict.ts';
import { isEdited, isReplaced, isReplacedCode } from '../attribute.ts';
import { isCode, leadsToCode } from '../is-code.ts';
import { isPrivileged, isSetId, isWorldWritable } from '../privileges.ts';
import { isDocumentation } from '../rules/dpkg-filters.ts';
import { isSensitive } from '../sensitive-places.ts';
import { textDiff } from '../text-diff.ts';
import { count, type Found, found, lessened, packageName, type Scene, traceOf } from './finding.ts';

type Changed = PackagedPath & { state: 'changed' };

/** Files of verified packages that are not as the package has them: replaced, edited, with other modes, or gone. */
export function* packagedFiles(scene: Scene): Generator<Found> {
  const missing: Missing[] = [];
  const forged = new Set(scene.file.expectation.notes.filter(({ code }) => code === 'forged-checksums').flatMap(({ paths }) => paths));
  for (const [path, packaged] of scene.file.expectation.files) {
    if (packaged.state === 'equal') continue;
    if (packaged.state === 'missing') {
      if (packaged.expected.kind === 'directory') continue;
      missing.push({ path, packaged });
      continue;
    }
    const line = scene.account.get(path);
    // What a maintainer script of the verified packages changes itself is as it should be.
    if (line === undefined || line.attribution === 'debian-generated' || line.attribution === 'debian-official') continue;
    if (forged.has(path)) continue; // told as what it is: package-database-forged
    if (isReplaced(packaged)) yield replaced(scene, packaged, line);
    else if (isEdited(packaged)) yield edited(scene, packaged, line);
    else yield attributesChanged(scene, packaged, line);
  }
  // A filter says what was meant, and no more: a program or a setting that it takes away is told like a deleted one.
  const groups = Map.groupBy(missing, (one) => {
    if (isMissed(scene, one)) return 'code or settings, deleted or excluded';
    return one.packaged.excludedBy === undefined ? 'deleted' : 'left out by the filters of dpkg';
  });
  for (const [how, all] of groups) yield gone(scene, all, how, how.startsWith('code') ? 'medium' : 'info');
}

type Missing = { path: Path; packaged: PackagedPath & { state: 'missing' } };

/** What is run or decides over others, unless the rebuild leaves it out as well: then the Dockerfile says so. */
function isMissed({ file }: Scene, { path, packaged: { expected } }: Missing): boolean {
  if (isDocumentation(path) || file.rebuilt?.entries.has(path) === false) return false;
  return isCode(path, expected) || leadsToCode(path, expected) || isSensitive(path);
}

function gone(scene: Scene, missing: readonly Missing[], how: string, severity: Severity): Found {
  const packages = new Set(missing.map(({ packaged }) => packaged.expected.package));
  const filters = Map.groupBy(missing, ({ packaged }) => packaged.excludedBy);
  return found(scene, 'packaged-file-missing', `${count(missing.length, 'file')} of ${count(packages.size, 'package')}, ${how}`, {
    severity,
    paths: missing.map(({ path }) => path),
    evidence: Object.fromEntries(
      [...filters]
        .flatMap(([filter, { length }]) => (filter === undefined ? [] : [[`path-exclude ${filter}`, count(length, 'file')]]))
        .slice(0, FILTERS_MAX),
    ),
  });
}

const FILTERS_MAX = 20;

function replaced(scene: Scene, packaged: Changed, line: AccountLine): Found {
  const { found: entry, expected } = packaged;
  const same = scene.madeByRebuild(entry);
  const code = isReplacedCode(packaged);
  const severity: Severity = code ? 'critical' : isSensitive(entry.path) ? (same ? 'high' : 'critical') : 'medium';
  const what = expected.kind === entry.kind ? 'other bytes than' : `a ${entry.kind}, not the ${expected.kind} of`;
  const rebuildSays =
    scene.file.rebuilt === undefined
      ? ''
      : same
        ? '; the rebuild makes the same, so the base image or the Dockerfile does it'
        : '; the rebuild does not make it';
  const forged = scene.file.expectation.notes.some((note) => note.code === 'forged-checksums' && note.package === expected.package);
  return found(
    scene,
    'packaged-file-replaced',
    `${entry.path} holds ${what} the package ${packageName(scene, expected.package)} that Debian signed${forged ? ", and the image's own list of checksums was changed to match" : ''}${rebuildSays}`,
    {
      severity,
      paths: [entry.path],
      layer: entry.layer,
      evidence: {
        package: expected.package,
        deb: expected.deb,
        expected: expected.digest ?? expected.target ?? expected.kind,
        found: entry.digest ?? entry.target ?? entry.kind,
        attribution: line.attribution,
      },
      accuses: (code || isSensitive(entry.path)) && !same,
    },
  );
}

function edited(scene: Scene, packaged: Changed, line: AccountLine): Found {
  const { found: entry, expected } = packaged;
  const traced = line.attribution !== 'unexplained';
  return found(
    scene,
    'conffile-edited',
    `${entry.path} of ${packageName(scene, expected.package)} was edited${traced ? ', and the rebuild makes the same' : ''}`,
    {
      severity: editedSeverity(entry, line),
      paths: [entry.path],
      layer: entry.layer,
      evidence: {
        package: expected.package,
        expected: expected.digest ?? '',
        found: entry.digest ?? '',
        attribution: line.attribution,
        ...diffOf(scene, expected, entry),
      },
      accuses: !traced && isCode(entry.path, entry),
      weak: isSensitive(entry.path) && traceOf(line) === 'rebuilt',
    },
  );
}

/** What was edited, where the packaged text is at hand: in the re-installation, or in the layer below. */
function diffOf({ file }: Scene, expected: FileFacts, entry: Entry): Record<string, string> {
  const { published, reinstalled, rebuilt } = file;
  const bytesOf = ({ digest = 'sha256:' }: FileFacts): Uint8Array | undefined =>
    [published, reinstalled, rebuilt].map((side) => side?.contents.get(digest)).find((bytes) => bytes !== undefined);
  const before = bytesOf(expected);
  const after = entry.size === 0 ? new Uint8Array(0) : bytesOf(entry);
  const diff = before === undefined || after === undefined ? undefined : textDiff(before, after);
  return diff === undefined ? {} : { diff };
}

/** A script of its own kind (an init script, a hook) is code, whoever may edit it. */
function editedSeverity(entry: Entry, { attribution }: AccountLine): Severity {
  if (attribution === 'unexplained') return isCode(entry.path, entry) ? 'high' : 'medium';
  return attribution === 'source' || !isSensitive(entry.path) ? 'low' : 'medium';
}

function attributesChanged(scene: Scene, packaged: Changed, line: AccountLine): Found {
  const { found: entry, expected, aspects } = packaged;
  const traced = line.attribution !== 'unexplained';
  const gains =
    (isPrivileged(entry) && (!isPrivileged(expected) || aspects.includes('xattrs') || isSetId(entry))) ||
    (isWorldWritable(entry) && !isWorldWritable(expected));
  const matters = gains || isCode(entry.path, entry) || isSensitive(entry.path);
  const worst: Severity = gains ? (traced ? 'high' : 'critical') : traced ? 'low' : matters ? 'high' : 'medium';
  // Maintainer scripts change modes and owners; with no re-installation to ask, it may have been one of them.
  const severity = scene.file.reinstalled === undefined && expected.digest === entry.digest ? lessened(worst, 1) : worst;
  return found(
    scene,
    'packaged-file-attributes-changed',
    `${entry.path} of ${packageName(scene, expected.package)} has another ${aspects.join(' and ')} than the package gives it`,
    {
      severity,
      paths: [entry.path],
      layer: entry.layer,
      evidence: {
        package: expected.package,
        expected: attributes(expected),
        found: attributes(entry),
        attribution: line.attribution,
      },
      accuses: !traced && matters,
    },
  );
}

function attributes({ mode, uid, gid, xattrs }: { mode: number; uid: number; gid: number; xattrs?: Record<string, string> }): string {
  const names = Object.keys(xattrs ?? {}).sort();
  return [`mode ${mode.toString(8).padStart(4, '0')}`, `owner ${uid}:${gid}`, ...names.map((name) => `${name}=${xattrs?.[name]}`)].join(
    ' ',
  );
}
