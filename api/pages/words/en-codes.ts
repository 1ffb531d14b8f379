/** What the codes of a verdict are called in English. Each table has every code: the types ask for it. */
import type { FileKind } from '../../../src/model/inventory.ts';
import type { StatedProvenance } from '../../../src/model/provenance.ts';
import type { BaseEvidence, NotComparable } from '../../../src/model/rebuild.ts';
import type { Attribution, Auditable, Difference, DifferenceClass, Result, Severity } from '../../../src/model/verdict.ts';
import type { Status, Step } from '../../../src/model/verification.ts';

export const enCodes = {
  auditable: {
    yes: { headline: 'The contents of this image can be audited.', value: 'Auditable' },
    partly: { headline: 'Most of this image can be audited, but not all of it.', value: 'Partly auditable' },
    no: { headline: 'This image holds what nobody can answer for.', value: 'Not auditable' },
    unknown: { headline: 'Too little could be read to judge this image.', value: 'Unknown' },
  } satisfies Record<Auditable, object>,

  result: {
    identical: { value: 'Identical', means: 'Our rebuild has the same manifest digest.' },
    'layers-identical': { value: 'Layers identical', means: 'Our rebuild has the same layers and configuration.' },
    equivalent: { value: 'Equivalent', means: 'Our rebuild is the same after named, harmless normalisations.' },
    explained: { value: 'Explained', means: 'Our rebuild differs, and every difference has a harmless cause with evidence.' },
    different: { value: 'Different', means: 'Our rebuild differs in ways that nothing here explains.' },
    suspicious: { value: 'Suspicious', means: 'It holds something that neither the archive nor our rebuild makes, where it matters.' },
    'not-comparable': { value: 'Not compared', means: 'There is no rebuild to compare with; the files are accounted for all the same.' },
  } satisfies Record<Result, object>,

  reason: {
    'no-source': 'Nobody says what it was built from.',
    'source-mismatch': 'The source named is not what it was built from.',
    'local-context': 'It was built from a folder that is not published.',
    'secret-required': 'The build needs a secret.',
    'input-gone': 'Something the build needs is not there any more.',
    'build-failed': 'The build fails.',
    flaky: 'The build does not end the same way twice.',
    timeout: 'The build takes longer than it may.',
    'policy-blocked': 'The build needs what the clean environment refuses.',
    unsupported: 'The build uses what conforme cannot run.',
  } satisfies Record<NotComparable, string>,

  base: {
    digest: 'the digest in the Dockerfile',
    provenance: 'the digest in the provenance',
    label: 'the digest that the image notes of its base',
    layers: 'its layers are the lowest of the published image',
    tag: 'what the tag names today',
  } satisfies Record<BaseEvidence, string>,

  attribution: {
    'debian-official': { name: 'Debian package', means: 'the bytes, mode and owner that Debian signed' },
    'debian-generated': { name: 'Made by a Debian package', means: 'recomputed from signed packages, with the same bytes' },
    'third-party': { name: 'Third-party package', means: 'signed by a repository whose key came with the image' },
    source: { name: 'Source', means: 'a file of the source at its commit' },
    download: { name: 'Pinned download', means: 'fetched by the build, and pinned by a digest in the source' },
    base: { name: 'Judged base image', means: 'unchanged from a base image with a verdict of its own' },
    rebuilt: { name: 'Rebuild alone', means: 'our rebuild makes it too, and nothing above says where it comes from' },
    volatile: { name: 'Volatile', means: 'differs between any two builds; equal after a named normalisation' },
    unexplained: { name: 'Not accounted for', means: 'nothing says where it comes from' },
  } satisfies Record<Attribution, object>,

  severity: { critical: 'critical', high: 'high', medium: 'medium', low: 'low', info: 'info' } satisfies Record<Severity, string>,

  cause: {
    normalised: 'harmless noise, normalised by a named rule',
    'source-drift': 'built from another state of the source',
    'package-drift': 'a package in another version, the published one verified',
    'second-rebuild': 'a second rebuild makes it exactly as published',
    unknown: 'no known cause',
  } satisfies Record<Difference['cause'], string>,

  class: {
    noise: 'noise that a named rule knows',
    builder: 'left by the builder',
    base: 'from the base image, which is another one here and there',
    drift: 'source or packages moved on',
    varies: 'our own two rebuilds differ there as well',
    unrepeated: 'no second rebuild tells whether the build itself varies',
    same: 'in our builds the same, and another in the published image',
  } satisfies Record<DifferenceClass, string>,

  kind: {
    file: 'file',
    directory: 'folder',
    symlink: 'symbolic link',
    character: 'character device',
    block: 'block device',
    fifo: 'named pipe',
  } satisfies Record<FileKind, string>,

  attachedBy: { index: 'the index', referrers: 'a referrer', 'cosign-tag': 'cosign’s tag' } satisfies Record<
    StatedProvenance['attachedBy'],
    string
  >,

  status: {
    queued: 'waiting',
    running: 'judging',
    done: 'judged',
    failed: 'could not judge',
  } satisfies Record<Status, string>,

  /** The steps that are worth showing, in order; several run side by side. */
  steps: [
    { step: 'pull', name: 'Read the image' },
    { step: 'source', name: 'Find the source' },
    { step: 'rebuild', name: 'Rebuild' },
    { step: 'debian', name: 'Ask Debian’s archive' },
    { step: 'reinstall', name: 'Install anew' },
    { step: 'conclude', name: 'Compare and judge' },
  ] satisfies { step: Step; name: string }[],
};
