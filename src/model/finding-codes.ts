import type { Severity } from './verdict.ts';

/**
 * Every kind of finding, closed: a stable code, the severity where nothing lessens it, what it is, and what to do. The page
 * api/predicates/verdict/v1.md documents exactly these; a test holds the two together.
 */
export const FINDINGS = {
  'packaged-file-replaced': {
    severity: 'critical',
    title: 'A file of a Debian package does not have the bytes that Debian signed',
    advice:
      'Find out who changed the file. Install the package again from the archive, or divert the path with dpkg-divert in the Dockerfile.',
  },
  'packaged-file-attributes-changed': {
    severity: 'critical',
    title: 'A file of a Debian package has another mode, owner or extended attribute than the package gives it',
    advice: 'Set modes and owners of packaged files with dpkg-statoverride, or leave them as they are.',
  },
  'packaged-file-missing': {
    severity: 'info',
    title: 'Files of installed packages are not in the image',
    advice: 'Harmless where it saves space; remove whole packages where they are not needed.',
  },
  'generated-file-missing': {
    severity: 'medium',
    title: 'Files that the packages make when they are installed are not in the image',
    advice: 'Leave them, or remove the package that makes them.',
  },
  'conffile-edited': {
    severity: 'medium',
    title: 'A configuration file of a package was edited',
    advice: 'Keep the edited file in the source and COPY it, so that a reader can see what it says.',
  },
  'package-database-forged': {
    severity: 'high',
    title: "The image's package database contradicts the verified packages",
    advice: 'Nothing honest edits these files. Build the image again from a base that you trust.',
  },
  'package-unverified': {
    severity: 'medium',
    title: 'The archive does not have an installed package in that version',
    advice: 'Rebuild the image with current packages; or see that the archive of snapshots can be reached, and verify again.',
  },
  'third-party-package': {
    severity: 'medium',
    title: 'Packages come from a repository beside Debian, whose key the image itself names',
    advice: 'Decide whether you trust who holds that key. Nobody but the publisher of the image says that it is the right one.',
  },
  'package-not-reproduced': {
    severity: 'info',
    title: 'Rebuilders could not build a package again with the same bytes',
    advice: 'Nothing to do for the image. Many packages hold the time or place of their build, and a build that fails counts as well.',
  },
  'outdated-package': {
    severity: 'medium',
    title: "Debian's signed archive has a newer version of an installed package",
    advice: 'Rebuild the image with current packages; where the security archive has the newer version, a fix is out.',
  },
  'known-vulnerability': {
    severity: 'medium',
    title: "A newer version of an installed package fixes a vulnerability, says Debian's security tracker",
    advice: 'Rebuild the image with current packages. The tracker is not signed: the finding names the hash and time of its data.',
  },
  'setuid-unexpected': {
    severity: 'critical',
    title: 'A program runs with the rights of its owner or group, and no verified package makes it so',
    advice: 'Remove the setuid or setgid bit, or install the program from a package.',
  },
  'capability-unexpected': {
    severity: 'critical',
    title: 'A program carries file capabilities that no verified package gives it',
    advice: 'Remove the capability, or grant it to the container instead of the file.',
  },
  'preload-configured': {
    severity: 'critical',
    title: '/etc/ld.so.preload loads a library into every program',
    advice: 'Remove /etc/ld.so.preload.',
  },
  'loader-changed': {
    severity: 'high',
    title: 'The search path or configuration of the dynamic loader or of name lookup was changed',
    advice: 'Install libraries where the loader finds them already.',
  },
  'account-unexpected': {
    severity: 'critical',
    title: 'An account or group membership that no verified package makes',
    advice: 'Remove it, or create it in the Dockerfile with an unprivileged id and no login shell.',
  },
  'password-set': {
    severity: 'critical',
    title: 'An account can be logged into with a password, or without any',
    advice: 'Lock the account: passwd --lock.',
  },
  'ssh-access': {
    severity: 'critical',
    title: 'The image holds keys that may log in, or a changed configuration of the SSH server',
    advice: 'Give keys to the container when it starts, never to the image.',
  },
  'scheduled-job': {
    severity: 'high',
    title: 'A scheduled job that no verified package brings',
    advice: 'Check what it runs; schedule jobs outside the image.',
  },
  'service-unit': {
    severity: 'high',
    title: 'A service that is started automatically and that no verified package brings',
    advice: 'Check what it starts.',
  },
  'sudo-rule': {
    severity: 'critical',
    title: 'A rule for sudo or polkit that no verified package brings',
    advice: 'Remove it: a container does not need to change users.',
  },
  'apt-trust-changed': {
    severity: 'high',
    title: 'What apt trusts, asks or runs was changed',
    advice: 'Pin third-party repositories to their own key with Signed-By, and name them in the Dockerfile.',
  },
  'pam-changed': {
    severity: 'critical',
    title: 'How logins are checked was changed',
    advice: 'Install PAM modules from packages and switch them on with pam-auth-update.',
  },
  'login-script': {
    severity: 'high',
    title: 'A script or setting that every shell reads, which no verified package brings',
    advice: 'Set variables with ENV in the Dockerfile.',
  },
  'alternative-unpackaged': {
    severity: 'high',
    title: 'An alternative points to something that no verified package holds',
    advice: 'Point it to a packaged program, or call the program by its own name.',
  },
  'alternative-changed': {
    severity: 'medium',
    title: 'An alternative points to another program than the packages choose',
    advice: 'Check which program is meant; name it by update-alternatives --set in the Dockerfile.',
  },
  'world-writable': {
    severity: 'high',
    title: 'Any user may change this program or system folder',
    advice: 'chmod o-w.',
  },
  'device-unexpected': {
    severity: 'high',
    title: 'A device file beyond the standard ones',
    advice: 'Give devices to the container when it starts.',
  },
  'bytecode-unconfirmed': {
    severity: 'high',
    title: 'Compiled Python code beside a packaged module is not what the module compiles to',
    advice: 'Remove the __pycache__ folder and let py3compile make it again.',
  },
  'unexplained-code': {
    severity: 'high',
    title: 'Code that neither a verified package, the source nor the rebuild accounts for',
    advice: 'Install it from a package, or build it in the Dockerfile from sources pinned by digest.',
  },
  'unexplained-file': {
    severity: 'medium',
    title: 'Files that nothing accounts for',
    advice: 'Name the source the image was built from; bring files in with COPY.',
  },
  'rebuilt-code': {
    severity: 'low',
    title: 'Code whose only account is that the rebuild makes the same',
    advice: 'Pin what the build downloads by digest, or install it from a package: then its origin is known too.',
  },
  'unverified-download': {
    severity: 'medium',
    title: 'The build downloads a file that nothing pins, and the file is in the image',
    advice: 'Pin it: ADD --checksum=sha256:…, or check it with sha256sum -c.',
  },
  'configuration-changed': {
    severity: 'critical',
    title: 'The image configuration is not the one the rebuild makes',
    advice: 'Find out where the published image was built, and by whom.',
  },
  'environment-dangerous': {
    severity: 'critical',
    title: 'A variable of the image makes programs load or run other code',
    advice: 'Remove the variable from the image.',
  },
  'file-missing': {
    severity: 'medium',
    title: 'The rebuild makes files that the published image does not hold',
    advice: 'Publish what the source builds.',
  },
  'source-drift': {
    severity: 'medium',
    title: 'The image was built from another commit than the one named',
    advice: 'Name the commit the image was built from, or publish it again from this one.',
  },
  'dockerfile-differs': {
    severity: 'medium',
    title: 'The provenance of the image holds another Dockerfile than the source',
    advice: 'Build from what is committed, with the repository as the build context, so that everybody can see what was built.',
  },
  'uncommitted-source': {
    severity: 'low',
    title: 'The image was built from a working tree with changes that were not committed',
    advice: 'Commit what is built. The rebuild is from the commit alone, so that what differs may come from those changes.',
  },
  'base-not-pinned': {
    severity: 'info',
    title: 'Nothing says which image of a tag the build took in',
    advice: 'Write the digest behind the tag in the Dockerfile, or let the builder attach its provenance.',
  },
  'base-moved': {
    severity: 'low',
    title: 'The tag of the base image names another image today, and the one of then is not known or gone',
    advice:
      'Rebuild and publish the image to get the current base. Write the digest behind the tag, or let the builder attach its provenance.',
  },
  'base-layers-differ': {
    severity: 'medium',
    title: 'The base image that is named is not what the published image lies on',
    advice: 'Find out what the image was built on. Builders that squash all layers into one do this as well.',
  },
  'base-condemned': {
    severity: 'critical',
    title: 'The verdict on the base image has a critical finding about files that are still here',
    advice: 'Build on another base. What the finding is about stands in the verdict on this one.',
  },
  'base-unaccounted': {
    severity: 'medium',
    title: 'The verdict on the base image does not say where some of its files come from, and they are still here',
    advice: 'Have the base verified with its source, or build on one whose files are all accounted for.',
  },
  'package-drift': {
    severity: 'info',
    title: 'Packages moved on since the image was built',
    advice: 'Rebuild and publish the image to get the newer packages.',
  },
  'secret-in-image': {
    severity: 'high',
    title: 'The image holds what looks like a secret',
    advice: 'Treat the secret as known to everyone: replace it. Use build secrets and mount secrets when the container starts.',
  },
  'secret-in-layer': {
    severity: 'high',
    title: 'A lower layer holds what looks like a secret; deleting it later did not remove it',
    advice: 'Treat the secret as known to everyone: replace it. Use RUN --mount=type=secret.',
  },
  'hidden-file': {
    severity: 'info',
    title: 'Lower layers hold files that the final image does not show',
    advice: 'Create and remove temporary files in the same step of the Dockerfile.',
  },
  'bundled-library': {
    severity: 'low',
    title: "A library is in the image outside of Debian's packages",
    advice: "Debian's security updates do not reach such copies: update them where they come from, or use the packaged library.",
  },
  'host-key': {
    severity: 'medium',
    title: 'The image holds a host key or certificate that every container shares',
    advice: 'Delete it in the Dockerfile and let the container make its own when it starts.',
  },
  'machine-id': {
    severity: 'low',
    title: 'The image holds a machine id that every container shares',
    advice: 'Truncate /etc/machine-id in the Dockerfile.',
  },
  'builder-file-leaked': {
    severity: 'info',
    title: "A file of the builder's own environment is in the image",
    advice: 'Build with a current builder, which leaves these files out.',
  },
  'content-not-compared': {
    severity: 'info',
    title: 'Caches and logs of which only the form was checked',
    advice: 'Delete them in the step that makes them: rm -rf /var/cache/apt/*.bin /var/log/apt and so on.',
  },
  'layer-anomaly': {
    severity: 'high',
    title: 'A layer can be read in two ways',
    advice: 'Build the image with a common builder. Honest tools do not write such layers.',
  },
  'no-source': {
    severity: 'info',
    title: 'No source is known, so nothing was rebuilt',
    advice: 'Name the repository and commit in the request, or in the label org.opencontainers.image.source.',
  },
  'rebuild-failed': {
    severity: 'info',
    title: 'The image could not be rebuilt; that says nothing against it',
    advice: 'See the last lines of the build log.',
  },
  'build-not-reproducible': {
    severity: 'low',
    title: 'The build does not make the same files twice',
    advice:
      'Keep clock, random numbers, host name, number of processors and order of listings out of what a step writes: honour SOURCE_DATE_EPOCH, sort lists.',
  },
  'second-rebuild-failed': {
    severity: 'info',
    title: 'The image was rebuilt only once, so that no difference can be told from noise of the build',
    advice: 'Verify again, or give builds more time.',
  },
  'reinstall-missing': {
    severity: 'info',
    title: 'The packages could not be installed anew, so generated files are not confirmed',
    advice: 'Files made by maintainer scripts rest on the rebuild alone in this verdict.',
  },
  'package-found-by-hash': {
    severity: 'info',
    title: 'Files of Debian packages that no package database of the image names',
    advice: 'Keep /var/lib/dpkg, and install packages with apt-get: then scanners and security updates see them as well.',
  },
  'no-package-database': {
    severity: 'info',
    title: 'The image has no Debian package database',
    advice: 'Build on a Debian base image, and keep /var/lib/dpkg.',
  },
  'archive-not-configured': {
    severity: 'info',
    title: 'The image is of a derivative of Debian whose archive this instance does not follow',
    advice: 'Where it is to be trusted, the operator of the instance names its archive and keyring in CONFORME_DERIVATIVES.',
  },
  'base-unpinned': {
    severity: 'low',
    title: 'The Dockerfile names an image by a tag, which may be another image tomorrow',
    advice: 'Add the digest: FROM name:tag@sha256:…. Bots keep it current.',
  },
  'base-latest': {
    severity: 'low',
    title: 'The Dockerfile builds on whatever image is latest',
    advice: 'Name a release and its digest: FROM name:tag@sha256:….',
  },
  'download-unchecked': {
    severity: 'low',
    title: 'A step downloads a file, and nothing is held against it',
    advice:
      'Check it in the same step with sha256sum -c or gpg --verify, such that a failure ends the step; or use ADD --checksum=sha256:….',
  },
  'download-executed': {
    severity: 'low',
    title: 'A step runs what it downloads, as it comes',
    advice: 'Keep the file, check its SHA-256, then run it; or install the program from a package.',
  },
  'repository-key-unpinned': {
    severity: 'low',
    title: 'The Dockerfile trusts a repository of packages by a key that it does not pin, or by none',
    advice: 'COPY the key from the source, or check its SHA-256 or fingerprint in the same step, and name it with signed-by.',
  },
  'varying-step': {
    severity: 'info',
    title: 'What a step makes depends on the clock or on random numbers',
    advice: 'Take times from SOURCE_DATE_EPOCH, and make keys and ids when the container starts.',
  },
  'cache-left': {
    severity: 'info',
    title: 'A step leaves a cache of its day in the image',
    advice: 'Remove it in the same step, or keep it out of the image with RUN --mount=type=cache.',
  },
  'compiled-package': {
    severity: 'info',
    title: 'A step compiles what Debian has as a package',
    advice: 'Install the package: it is signed, gets security updates, and others build it again.',
  },
  'step-unread': {
    severity: 'info',
    title: 'The script of a step is too long or too nested to be looked into',
    advice: 'Put long scripts into files of their own and COPY them.',
  },
} as const satisfies Record<string, { severity: Severity; title: string; advice: string }>;

export type FindingCode = keyof typeof FINDINGS;
