import type { Entry } from '../model/inventory.ts';
import type { AccountLine, Attribution } from '../model/verdict.ts';
import { isReplaced } from './attribute.ts';
import type { Case } from './case.ts';

export type Whose = { statement: string; attribution?: Attribution; package?: string; version?: string };

/** One sentence that says which package's file this is, and whether its bytes are the signed ones; else where it comes from. */
export function whoseFile(file: Case, entry: Entry, line: AccountLine | undefined): Whose {
  if (line === undefined) return { statement: 'no file of the image' };
  const { attribution, evidence } = line;
  const packaged = file.expectation.files.get(entry.path);
  const purl = packaged?.expected.package ?? evidence.package;
  const known = file.evidence.packages.find((one) => one.purl === purl && one.chain !== undefined);
  const owner = known === undefined ? undefined : `${known.name} ${known.version}`;
  const signer = file.evidence.archives.find(({ id }) => id === known?.chain?.archive)?.origin ?? 'the archive';
  const whose = (statement: string): Whose => ({
    statement,
    attribution,
    ...(known === undefined ? {} : { package: known.purl, version: known.version }),
  });
  if (packaged?.state === 'changed' && owner !== undefined && attribution !== 'debian-generated') {
    if (isReplaced(packaged)) return whose(`not the file of ${owner}: its bytes are not those that ${signer} signed`);
    return whose(`${owner}, with another ${packaged.aspects.join(' and ')} than ${signer} signed`);
  }
  switch (attribution) {
    case 'debian-official':
      return whose(`${owner ?? 'a package'}, the bytes that ${signer} signed`);
    case 'debian-generated':
      return whose(`${owner === undefined ? 'made' : `${owner}, made`} by maintainer scripts of verified packages`);
    case 'third-party':
      return whose(`${owner ?? 'a package'} of the repository ${evidence.url ?? 'of a third party'}, whose key the image names itself`);
    case 'source':
      return whose(`${evidence.sourcePath ?? 'a file'} of the source`);
    case 'download':
      return whose(`downloaded from ${evidence.url ?? 'an address'}, pinned by a digest in the source`);
    case 'base':
      return whose('unchanged from a base image with a verdict of its own');
    case 'rebuilt':
      return whose('no file of a verified package; the rebuild makes the same');
    case 'volatile':
      return whose('no file of a verified package; equal to what the rebuild makes after a named rule');
    case 'unexplained':
      return whose('no file of a verified package, and nothing accounts for it');
  }
}
