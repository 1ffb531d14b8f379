import type { Entry } from '../model/inventory.ts';
import type { Account } from './attribute-debian.ts';
import type { Case } from './case.ts';

/**
 * Files of packages that Debian does not have, by the signature of a repository that the image names. The key is the publisher's
 * word, so it vouches for nothing that Debian's packages hold, as they have it or in another form, deleted or diverted, and for
 * nothing that installing them makes: there Debian's own word stands, and what differs from it stays a finding.
 */
export function thirdPartyAccounts(file: Case): (entry: Entry) => Account | undefined {
  const repositories = new Map(file.evidence.archives.map(({ id, thirdParty }) => [id, thirdParty?.url]));
  const urls = new Map(file.evidence.packages.map(({ purl, chain }) => [purl, repositories.get(chain?.archive ?? '')]));
  return (entry) => {
    const packaged = file.thirdParty.get(entry.path);
    if (packaged?.state !== 'equal') return undefined;
    if (file.expectation.files.has(entry.path) || file.reinstalled?.entries.has(entry.path) === true) return undefined;
    const { package: purl, deb } = packaged.expected;
    const url = urls.get(purl);
    return { attribution: 'third-party', evidence: { package: purl, deb, ...(url === undefined ? {} : { url }) } };
  };
}
