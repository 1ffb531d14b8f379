import type { Entry } from '../model/inventory.ts';
import type { Attribution, AttributionEvidence } from '../model/verdict.ts';
import { type Case, formContext, sideOf } from './case.ts';
import { sameFacts } from './compare-facts.ts';
import { admits } from './compare.ts';
import { rulesFor, STEP_RULES } from './rules/index.ts';
import { ruleId } from './rules/rule.ts';

export type Account = { attribution: Attribution; evidence: AttributionEvidence };

/** The bytes, mode, owner and attributes are those of a verified package, or the file is a part of the verified archive. */
export function officialAccount(file: Case, entry: Entry): Account | undefined {
  const packaged = file.expectation.files.get(entry.path);
  if (packaged?.state === 'equal') {
    const { package: purl, deb } = packaged.expected;
    return { attribution: 'debian-official', evidence: { package: purl, deb } };
  }
  const found = file.found.get(entry.path);
  if (found?.aspects.length === 0) {
    const { package: purl, deb } = found.expected;
    return { attribution: 'debian-official', evidence: { package: purl, deb, rule: ruleId(STEP_RULES.foundByHash) } };
  }
  return undefined;
}

/** Looks up digests of the archive itself: .debs and indices that apt left behind. */
export function archiveAccounts(file: Case): (entry: Entry) => Account | undefined {
  const debs = new Map<string, string>();
  const indices = new Set<string>(file.evidence.archives.flatMap((one) => (one.thirdParty === undefined ? [one.inRelease] : [])));
  for (const { purl, chain } of file.verified.values()) {
    if (chain === undefined) continue;
    debs.set(chain.deb, purl);
    indices.add(chain.packages);
  }
  return (entry) => {
    // Data that nothing runs: a plain file where apt keeps such files.
    if (entry.kind !== 'file' || entry.digest === undefined || (entry.mode & 0o7133) !== 0 || entry.xattrs !== undefined) return undefined;
    const purl = entry.path.startsWith('/var/cache/apt/archives/') ? debs.get(entry.digest) : undefined;
    if (purl !== undefined) {
      return { attribution: 'debian-official', evidence: { package: purl, deb: entry.digest, rule: ruleId(STEP_RULES.debArchive) } };
    }
    if (indices.has(entry.digest) && file.published.lists?.get(entry.path)?.has(entry.digest) === true) {
      return { attribution: 'debian-official', evidence: { rule: ruleId(STEP_RULES.archiveIndex) } };
    }
    return undefined;
  };
}

/** What maintainer scripts and triggers of the verified packages make when they are installed anew, or a rule's equal of it. */
export function generatedAccounts(file: Case): (entry: Entry) => Account | undefined {
  const { reinstalled, published } = file;
  const context = formContext(file);
  const knownAccount = (entry: Entry): Account | undefined => {
    if (file.expectation.files.has(entry.path)) return undefined;
    const rule = rulesFor(entry.path).find((one) => admits(one, entry) && one.known?.(sideOf(published, entry), context) === true);
    return rule === undefined ? undefined : { attribution: 'debian-generated', evidence: { rule: ruleId(rule) } };
  };
  if (reinstalled === undefined) return knownAccount;
  return (entry) => {
    const other = reinstalled.entries.get(entry.path);
    if (other === undefined) return knownAccount(entry);
    const packaged = file.expectation.files.get(entry.path)?.expected;
    const evidence = packaged === undefined ? {} : { package: packaged.package, deb: packaged.deb };
    if (sameFacts(entry, other, context)) {
      return { attribution: 'debian-generated', evidence: { ...evidence, rule: ruleId(STEP_RULES.reinstall) } };
    }
    if (isWithoutItsAcl(entry, other) && sameFacts({ ...entry, xattrs: other.xattrs ?? {} }, other, context)) {
      return { attribution: 'debian-generated', evidence: { ...evidence, rule: ruleId(STEP_RULES.aclLost) } };
    }
    const sameButContent = { ...entry, digest: other.digest, size: other.size } as Entry;
    if (other.digest === undefined || !sameFacts(sameButContent, other, context)) return undefined;
    const rule = rulesFor(entry.path).find(
      (one) => admits(one, entry) && one.regenerates?.(sideOf(published, entry), sideOf(reinstalled, other), context) === true,
    );
    return rule === undefined ? undefined : { attribution: 'debian-generated', evidence: { ...evidence, rule: ruleId(rule) } };
  };
}

/** Access control lists of Linux: acl(5). */
const ACLS: ReadonlySet<string> = new Set(['system.posix_acl_access', 'system.posix_acl_default']);

/** Hardly a builder carries access control lists into a layer. Without one nobody but owner and group keeps a right; a list more or another one is a difference. */
function isWithoutItsAcl(published: Entry, other: Entry): boolean {
  const names = Object.keys(other.xattrs ?? {});
  return published.xattrs === undefined && names.length > 0 && names.every((name) => ACLS.has(name));
}
