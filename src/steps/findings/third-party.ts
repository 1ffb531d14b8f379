import { count, found, type Found, type Scene } from './finding.ts';

const LISTED_MAX = 100; // the statement lists every package
const NAMED_MAX = 10; // a sentence

/** Packages that are not Debian's, by the repository that signed them; and repositories that could not be used. */
export function* thirdParties(scene: Scene): Generator<Found> {
  const { evidence } = scene.file;
  for (const { id, thirdParty, signers } of evidence.archives) {
    const packages = evidence.packages.filter(({ status, chain }) => status === 'third-party' && chain?.archive === id);
    if (thirdParty === undefined || packages.length === 0) continue;
    const paths = [...scene.account.values()].filter(
      ({ attribution, evidence: { package: purl }, code }) =>
        code && attribution === 'third-party' && packages.some((one) => one.purl === purl),
    );
    const names = packages.slice(0, LISTED_MAX).map(({ name, architecture, version }) => [`${name}:${architecture}`, version] as const);
    const instead = packages.filter(({ alsoInDebian }) => alsoInDebian === true).map(({ name }) => name);
    const place =
      instead.length === 0
        ? ''
        : `; in the place of Debian's ${instead.slice(0, NAMED_MAX).join(', ')}${instead.length > NAMED_MAX ? ' and others' : ''}`;
    yield found(scene, 'third-party-package', `${count(packages.length, 'package')} of ${id}, signed by ${signers.join(' and ')}${place}`, {
      paths: paths.map(({ path }) => path),
      evidence: { repository: thirdParty.url, source: thirdParty.source, key: signers.join(' '), ...Object.fromEntries(names) },
    });
  }
  for (const { url, suite, source, problem, detail } of evidence.repositories ?? []) {
    const what = problem === 'repository-untrusted' ? 'is not signed by a key that the image names for it' : 'could not be reached or used';
    yield found(scene, 'third-party-package', `the repository ${url} ${suite} ${what}: its packages are not verified`, {
      severity: 'info',
      evidence: { repository: url, source, detail },
    });
  }
}
