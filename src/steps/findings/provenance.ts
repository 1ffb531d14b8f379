import { found, type Found, type Scene } from './finding.ts';

/** What the publisher's own record of the build says against what was built here. */
export function* provenanceNotes(scene: Scene): Generator<Found> {
  const { otherDockerfile: other, provenance = [], source } = scene.file.rebuild;
  if (other !== undefined) {
    yield found(
      scene,
      'dockerfile-differs',
      `the provenance holds another Dockerfile than ${other.path} of the source; the source's was built`,
      {
        paths: [other.path],
        evidence: { source: other.source, provenance: other.attested, ...(other.diff === undefined ? {} : { diff: other.diff }) },
      },
    );
  }
  const uncommitted = provenance.find((one) => one.uncommitted === true);
  if (uncommitted !== undefined) {
    const commit = source?.location.kind === 'git' && source.evidence === 'provenance' ? ` of ${source.location.commit}` : '';
    yield found(scene, 'uncommitted-source', `the provenance says that the working tree${commit} had changes that were not committed`, {
      evidence: { attestation: uncommitted.digest },
    });
  }
}
