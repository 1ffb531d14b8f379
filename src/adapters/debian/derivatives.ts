import type { SuiteRequest } from './releases.ts';

/** A derivative of Debian whose own archive the operator trusts: one of CONFORME_DERIVATIVES. */
export type Derivative = {
  /** `ID` of os-release(5); also the vendor in purls. */
  id: string;
  addresses: readonly string[];
  /** The file with the keys that sign all of its suites. */
  keyring: string;
  /** What follows the release's codename in the names of its further suites: `-updates`, `-security`. */
  suffixes: readonly string[];
};

const CODENAME = /^[a-z][a-z0-9-]{0,30}$/;

/**
 * The suites of a derivative that packages of a release come from; none where the image does not say which release it is. One of
 * Suite and Codename has to be the name that was asked for: Ubuntu gives its updates the codename of the release.
 */
export function derivativeSuites({ id, keyring, suffixes }: Derivative, osRelease: Record<string, string>): SuiteRequest[] {
  const codename = osRelease['VERSION_CODENAME'] ?? '';
  if (!CODENAME.test(codename)) return [];
  return ['', ...suffixes].map((suffix) => ({
    id: `${id} ${codename}${suffix}`,
    role: 'archive',
    suite: `${codename}${suffix}`,
    origin: undefined,
    codename: undefined,
    eitherName: `${codename}${suffix}`,
    keyrings: [keyring],
    optional: suffix !== '',
  }));
}
