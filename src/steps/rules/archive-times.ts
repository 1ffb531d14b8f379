import type { FileFacts } from '../../model/inventory.ts';
import { isPlain, type Rule } from './rule.ts';

/** The layers were read with this in mind: both sides have the same digest of everything but times. */
function sameUndated(format: string): NonNullable<Rule['equal']> {
  return ({ facts: a }, { facts: b }) => a.undated?.startsWith(`${format} `) === true && a.undated === b.undated;
}

/** As a plain file, with the first bytes of an archive. */
function isArchive(facts: FileFacts): boolean {
  const { magic, ...rest } = facts;
  return magic === 'archive' && isPlain(rest);
}

export const gzipTime: Rule = {
  name: 'gzip-time',
  version: 1,
  reason: 'RFC 1952: gzip notes when the file was changed that it packed; every byte but these four is compared',
  applies: (path) => path.endsWith('.gz'),
  equal: sameUndated('gzip'),
};

export const arTimes: Rule = {
  name: 'ar-times',
  version: 1,
  reason:
    'ar notes a date for each member of a static library; names, order, owners, modes and bytes of all members are compared, and whatever else is in the file',
  applies: (path) => path.endsWith('.a'),
  admits: isArchive,
  equal: sameUndated('ar'),
};

export const zipMembers: Rule = {
  name: 'zip-members',
  version: 1,
  reason:
    'ZIP and JAR note times, in the order in which folders were listed; names, bytes and attributes of all members are compared, and nothing may stand between them. Of MANIFEST.MF those attributes are left out in which tools note time, user, machine and tools of the build, of pom.properties the comment with the time',
  applies: (path) => /\.(?:jar|war|ear|whl|egg|zip)$/.test(path),
  admits: isArchive,
  equal: sameUndated('zip'),
};
