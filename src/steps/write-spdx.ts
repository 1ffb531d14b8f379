import type { Bill, BillFile, BillPackage } from '../model/bill.ts';
import type { BundledCopy } from '../model/copies.ts';
import { hexOf } from '../model/digest.ts';
import { ociPurl, splitReference } from '../model/purl.ts';
import { copyFacts, type Facts, fileFacts, imageFacts, packageFacts, packageSentence } from './describe-component.ts';

export const SPDX_MEDIA_TYPE = 'application/spdx+json';

const NOASSERTION = 'NOASSERTION';

/**
 * The bill as SPDX 2.3 in JSON, ISO/IEC 5962. How a package was verified stands in its annotation: a sentence, then names and values.
 * A file is written as a package of the purpose FILE, because SPDX 2.3 (8.4) asks for a SHA-1 of what it calls a file. The same
 * bill gives the same bytes.
 */
export function writeSpdx(bill: Bill): string {
  const { image, verdict, judgedAt, rules } = bill;
  const { repository, tag } = splitReference(image.reference);
  // SPDX 2.3, 6.9: no fractions of a second.
  const created = new Date(judgedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  const tool = `Tool: conforme-${rules}`;
  const annotated = (comment: string, facts: Facts) => ({
    annotations: [
      {
        annotationDate: created,
        annotationType: 'REVIEW',
        annotator: tool,
        comment: [comment, ...facts.map(([name, value]) => `conforme:${name}=${value}`)].join('\n'),
      },
    ],
  });
  const root = {
    SPDXID: 'SPDXRef-image',
    name: repository,
    versionInfo: tag ?? image.manifestDigest,
    primaryPackagePurpose: 'CONTAINER',
    ...common([hexOf(image.manifestDigest)], ociPurl(image.reference, image.manifestDigest, image.platform.architecture)),
    ...annotated(`Judged by conforme: ${bill.answers.result}; can it be audited: ${bill.answers.auditable}.`, imageFacts(bill)),
  };
  const packages = bill.packages.map((one, index) => ({
    SPDXID: `SPDXRef-package-${index}`,
    ...packageOf(one),
    ...annotated(packageSentence(one), packageFacts(one)),
  }));
  const files = bill.files.map((one, index) => ({
    SPDXID: `SPDXRef-file-${index}`,
    ...fileOf(one),
    ...annotated(`No file of a package: ${one.attribution}.`, fileFacts(one)),
  }));
  const copies = bill.copies.map((one, index) => ({
    SPDXID: `SPDXRef-copy-${index}`,
    ...copyOf(one),
    ...annotated(`Outside of packages, recognised by ${one.recognisedBy.join(' and ')}: what it claims to be, not proved.`, copyFacts(one)),
  }));
  const parts = [...packages, ...copies, ...files];
  return JSON.stringify({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image.reference,
    documentNamespace: `urn:conforme:spdx:${verdict}`,
    creationInfo: { created, creators: [tool] },
    packages: [root, ...parts],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: root.SPDXID },
      ...parts.map(({ SPDXID }) => ({ spdxElementId: root.SPDXID, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID })),
    ],
  });
}

function packageOf({ name, version, source, sourceVersion, purl, chain }: BillPackage) {
  return {
    name,
    versionInfo: version,
    primaryPackagePurpose: 'LIBRARY',
    ...(chain === undefined
      ? {}
      : { supplier: `Organization: ${chain.archive.thirdParty?.url ?? chain.archive.origin}`, packageFileName: chain.path }),
    sourceInfo: `built from the source package ${source} ${sourceVersion}`,
    ...common(chain === undefined ? [] : [hexOf(chain.deb)], purl),
  };
}

function copyOf({ name, version, path, digest, purl }: BundledCopy) {
  return {
    name,
    ...(version === undefined ? {} : { versionInfo: version }),
    packageFileName: path,
    primaryPackagePurpose: 'LIBRARY',
    ...common(digest === undefined ? [] : [hexOf(digest)], purl),
  };
}

function fileOf({ path, digest }: BillFile) {
  return { name: path, packageFileName: path, primaryPackagePurpose: 'FILE', ...common(digest === undefined ? [] : [hexOf(digest)]) };
}

function common(checksums: readonly string[], purl?: string) {
  return {
    downloadLocation: NOASSERTION,
    filesAnalyzed: false,
    licenseConcluded: NOASSERTION,
    licenseDeclared: NOASSERTION,
    copyrightText: NOASSERTION,
    ...(checksums.length === 0 ? {} : { checksums: checksums.map((checksumValue) => ({ algorithm: 'SHA256', checksumValue })) }),
    ...(purl === undefined
      ? {}
      : { externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }] }),
  };
}
