/** How each part of a bill of materials was verified, as names with values: the same in every format. */
import type { Bill, BillFile, BillPackage } from '../model/bill.ts';
import type { BundledCopy } from '../model/copies.ts';

export type Facts = readonly (readonly [name: string, value: string])[];

const given = (name: string, value: string | number | undefined): Facts => (value === undefined ? [] : [[name, String(value)]]);

export function imageFacts({ verdict, image, answers, rules, filesOmitted }: Bill): Facts {
  return [
    ['verdict', verdict],
    ['result', answers.result],
    ['auditable', answers.auditable],
    ['accounted', String(answers.accounted)],
    ['rules', rules],
    ['reference', image.reference],
    ['digest', image.digest],
    ['platform', [image.platform.os, image.platform.architecture, image.platform.variant].filter(Boolean).join('/')],
    ...(filesOmitted === 0 ? [] : given('files-omitted', filesOmitted)),
  ];
}

export function packageFacts(one: BillPackage): Facts {
  const { status, unverified, state, source, sourceVersion, chain, reproduced, buildinfo, files } = one;
  return [
    ['status', status],
    ...given('unverified', unverified),
    ...given('state', state),
    ['source', source],
    ['source-version', sourceVersion],
    ...(chain === undefined
      ? []
      : ([
          ['archive', chain.archive.id],
          ['archive-component', chain.component],
          ['release-date', chain.archive.date],
          ['in-release', chain.archive.inRelease],
          ...chain.archive.signers.map((signer) => ['signer', signer] as const),
          ['deb-path', chain.path],
        ] as const)),
    ...given('buildinfo', buildinfo),
    ...(files === undefined ? [] : Object.entries(files).map(([name, number]) => [`files-${name}`, String(number)] as const)),
    ...(reproduced === undefined
      ? []
      : ([
          ['reproduced', `${reproduced.by} of ${reproduced.of}`],
          ...reproduced.rebuilders.map((url) => ['reproduced-by', url] as const),
        ] as const)),
  ];
}

export function fileFacts({ layer, attribution, evidence }: BillFile): Facts {
  return [
    ['attribution', attribution],
    ['layer', String(layer)],
    ...Object.entries(evidence).flatMap(([name, value]) => given(`evidence-${name}`, value)),
  ];
}

export function copyFacts({ path, layer, recognisedBy, attribution, hidden, debian }: BundledCopy): Facts {
  return [
    ['bundled-path', path],
    ['layer', String(layer)],
    ...recognisedBy.map((by) => ['recognised-by', by] as const),
    ...given('attribution', attribution),
    ...(hidden === undefined ? [] : ([['hidden', hidden.how], ...given('hidden-by-layer', hidden.hiddenBy)] as const)),
    ...(debian === undefined
      ? []
      : ([
          ['debian-package', debian.package],
          ['debian-version', debian.version],
          ['older-than-debian', String(debian.older)],
        ] as const)),
  ];
}

/** A sentence for people and for formats without names and values. */
export function packageSentence({ status, state, unverified, chain, reproduced, files }: BillPackage): string {
  const found = state === 'found' ? ' No package database of the image names it: it was found by the hashes of its files.' : '';
  const counts =
    files === undefined
      ? found
      : state === 'found'
        ? `${found} Of its files the image holds ${files.equal} as signed.`
        : ` Of its files the image holds ${files.equal} as signed, ${files.generated} as its scripts leave them, ${files.changed} changed; ${files.missing} are missing.`;
  if (chain === undefined) return `Not verified: the signed archive does not have this version (${unverified ?? status}).${counts}`;
  const { archive, deb } = chain;
  const built =
    reproduced === undefined ? '' : ` Independent rebuilders made this .deb from its source: ${reproduced.by} of ${reproduced.of}.`;
  const how = archive.thirdParty === undefined ? 'Verified' : 'Of a third party, by a key that the image names itself';
  return `${how}: ${archive.id} of ${archive.date}, signed by ${archive.signers.join(', ')}, names the .deb ${deb}.${counts}${built}`;
}
