import { ComponentType, HashAlgorithm } from '@cyclonedx/cyclonedx-library/Enums';
import { Bom, Component, HashDictionary, Metadata, Property, PropertyRepository, Tools } from '@cyclonedx/cyclonedx-library/Models';
import { JSON as Json, JsonSerializer } from '@cyclonedx/cyclonedx-library/Serialize';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import type { Bill } from '../model/bill.ts';
import { type Digest, hexOf } from '../model/digest.ts';
import { ociPurl, splitReference } from '../model/purl.ts';
import { copyFacts, type Facts, fileFacts, imageFacts, packageFacts } from './describe-component.ts';

export const CYCLONEDX_MEDIA_TYPE = 'application/vnd.cyclonedx+json; version=1.6';

/**
 * The bill as CycloneDX 1.6, ECMA-424. How a component was verified stands in properties of the namespace `conforme:`. The same bill
 * gives the same bytes: the serial number is made of the verdict's digest.
 */
export function writeCycloneDx(bill: Bill): string {
  const { image } = bill;
  const { repository, tag } = splitReference(image.reference);
  const root = new Component(ComponentType.Container, repository, {
    bomRef: 'image',
    version: tag ?? image.manifestDigest,
    purl: ociPurl(image.reference, image.manifestDigest, image.platform.architecture),
    hashes: sha256(image.manifestDigest),
    properties: properties(imageFacts(bill)),
  });
  const bom = new Bom({ serialNumber: `urn:uuid:${uuidOf(bill.verdict)}` });
  bom.metadata = new Metadata({ timestamp: new Date(bill.judgedAt), component: root, tools: toolsOf(bill) });
  const add = (component: Component): void => {
    bom.components.add(component);
    root.dependencies.add(component.bomRef);
  };
  for (const [index, one] of bill.packages.entries()) {
    add(
      new Component(ComponentType.Library, one.name, {
        bomRef: `package-${index}`,
        version: one.version,
        purl: one.purl,
        ...(one.chain === undefined ? {} : { hashes: sha256(one.chain.deb) }),
        properties: properties(packageFacts(one)),
      }),
    );
  }
  for (const [index, copy] of bill.copies.entries()) {
    add(
      new Component(ComponentType.Library, copy.name, {
        bomRef: `copy-${index}`,
        purl: copy.purl,
        ...(copy.version === undefined ? {} : { version: copy.version }),
        ...(copy.digest === undefined ? {} : { hashes: sha256(copy.digest) }),
        properties: properties(copyFacts(copy)),
      }),
    );
  }
  for (const [index, file] of bill.files.entries()) {
    add(
      new Component(ComponentType.File, file.path, {
        bomRef: `file-${index}`,
        ...(file.digest === undefined ? {} : { hashes: sha256(file.digest) }),
        properties: properties(fileFacts(file)),
      }),
    );
  }
  return new JsonSerializer(new Json.Normalize.Factory(Spec1dot6)).serialize(bom, { sortLists: false });
}

function toolsOf({ rules }: Bill): Tools {
  const tools = new Tools();
  tools.components.add(new Component(ComponentType.Application, 'conforme', { version: rules }));
  return tools;
}

function sha256(digest: Digest): HashDictionary {
  return new HashDictionary([[HashAlgorithm['SHA-256'], hexOf(digest)]]);
}

function properties(facts: Facts): PropertyRepository {
  return new PropertyRepository(facts.map(([name, value]) => new Property(`conforme:${name}`, value)));
}

/** RFC 9562, section 5.8: a UUID of one's own making, here out of a digest. */
export function uuidOf(digest: Digest): string {
  const hex = hexOf(digest);
  const variant = (8 + (parseInt(hex[16] ?? '0', 16) & 3)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
