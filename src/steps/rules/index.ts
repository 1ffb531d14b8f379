import type { Path } from '../../model/path.ts';
import type { RuleDescription } from '../../model/statement.ts';
import { packageAccounts } from './accounts.ts';
import { alternativesLog } from './alternatives-log.ts';
import { aptCache } from './apt-cache.ts';
import { aptExtendedStates } from './apt-extended-states.ts';
import { aptFolders } from './apt-folders.ts';
import { aptHistory } from './apt-history.ts';
import { aliasesDb } from './aliases-db.ts';
import { aptLists } from './apt-lists.ts';
import { mariadbTables } from './mariadb-tables.ts';
import { aptSources } from './apt-sources.ts';
import { aptTerm } from './apt-term.ts';
import { arTimes, gzipTime, zipMembers } from './archive-times.ts';
import { bootstrapLog } from './bootstrap-log.ts';
import { builderFiles } from './builder-files.ts';
import { crontabTime } from './crontab-time.ts';
import { debconfDatabase } from './debconf.ts';
import { dpkgFilters } from './dpkg-filters.ts';
import { dpkgLog } from './dpkg-log.ts';
import { dpkgStatus, dpkgStatusOld } from './dpkg-status.ts';
import { dpkgAvailable, dselectMethod } from './dselect.ts';
import { eippLog } from './eipp-log.ts';
import { fontconfigCache } from './fontconfig-cache.ts';
import { hostKeys, snakeoilLink } from './host-keys.ts';
import { hostName } from './host-name.ts';
import { imageTemplate } from './image-template.ts';
import { javaCacerts } from './java-cacerts.ts';
import { ldconfigAuxCache } from './ldconfig-aux-cache.ts';
import { lockFiles } from './lock-files.ts';
import { machineId } from './machine-id.ts';
import { manIndex } from './man-index.ts';
import { postgresCluster } from './postgres-cluster.ts';
import { pycSourceTime } from './pyc-source-time.ts';
import { type Rule, ruleId } from './rule.ts';
import { runFolders } from './run-folders.ts';
import { shadowLastChange } from './shadow-last-change.ts';
import { standardDevices } from './standard-devices.ts';
import { wheelRecord } from './wheel-record.ts';

/** The rules about files, in the order in which they are asked: the first that applies to a path and excuses it is named. */
export const FILE_RULES: readonly Rule[] = [
  packageAccounts,
  shadowLastChange,
  crontabTime,
  dpkgStatus,
  dpkgStatusOld,
  dpkgAvailable,
  dselectMethod,
  dpkgLog,
  alternativesLog,
  aptHistory,
  aptTerm,
  eippLog,
  bootstrapLog,
  aptCache,
  aptExtendedStates,
  aptLists,
  aptSources,
  aptFolders,
  dpkgFilters,
  imageTemplate,
  ldconfigAuxCache,
  fontconfigCache,
  pycSourceTime,
  wheelRecord,
  zipMembers,
  arTimes,
  gzipTime,
  machineId,
  hostKeys,
  snakeoilLink,
  hostName,
  javaCacerts,
  debconfDatabase,
  postgresCluster,
  mariadbTables,
  aliasesDb,
  manIndex,
  builderFiles,
  standardDevices,
  lockFiles,
  runFolders,
];

/** Rules that are part of a step and look at no contents. */
export const STEP_RULES = {
  mtime: { name: 'mtime', version: 1, reason: 'times of files say when something was built, not what; counted apart' },
  overlayNotes: {
    name: 'overlay-notes',
    version: 1,
    reason:
      'the attributes user.overlay.origin and .impure (and trusted.) are notes that the file system of a builder makes for itself; no container sees them, and they order nothing',
  },
  imageMetadata: {
    name: 'image-metadata',
    version: 1,
    reason: 'created, author and history of the configuration change nothing that runs',
  },
  builderLabels: { name: 'builder-labels', version: 1, reason: 'labels in which a builder names its own version: io.buildah.version' },
  descriptiveLabels: {
    name: 'descriptive-labels',
    version: 1,
    reason:
      'the descriptive annotations of the OCI image specification 1.1 (annotations.md), which publishers set beside the Dockerfile; nothing runs by them',
  },
  reinstall: {
    name: 'reinstall',
    version: 1,
    reason:
      'equal in every fact but mtime to what the verified packages alone make when they are installed anew; owners with ids from 100 to 999 are compared by name',
  },
  foundByHash: {
    name: 'found-by-hash',
    version: 1,
    reason: 'no database names the package, and its verified .deb has the same bytes, mode and owner at this path',
  },
  statusFolder: {
    name: 'status-folder',
    version: 1,
    reason: "a file of /var/lib/dpkg/status.d has exactly the fields of the verified .deb's control file, or is that .deb's md5sums",
  },
  aclLost: {
    name: 'acl-lost',
    version: 1,
    reason:
      'equal to what the verified packages make but for the access control list, which builders leave out of their layers; a list that is there is compared',
  },
  debArchive: { name: 'deb-archive', version: 1, reason: 'a .deb left in the cache whose digest is that of a verified package' },
  archiveIndex: {
    name: 'archive-index',
    version: 2,
    reason:
      "a Release file or index left in apt's lists whose digest is one of the verified chain, under the name that the Release file gives it",
  },
  parentDirectory: {
    name: 'parent-directory',
    version: 1,
    reason: 'a folder of root with mode 0755 and no attributes that leads to a file with an account of its own: it is made on the way',
  },
} as const satisfies Record<string, RuleDescription>;

/** Every rule in force, as it stands in the statement. */
export const RULES: readonly RuleDescription[] = [...Object.values(STEP_RULES), ...FILE_RULES]
  .map(({ name, version, reason }) => ({ name, version, reason }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/** What a builder leaves in an image for its own purposes, as `name@version`. */
export const BUILDER_RULES: ReadonlySet<string> = new Set(
  [builderFiles, STEP_RULES.overlayNotes, STEP_RULES.imageMetadata, STEP_RULES.builderLabels].map(ruleId),
);

/** Nearly every path of an image is none that a rule applies to: these few beginnings decide it quickly. */
const BEGINNINGS =
  /^\/(?:etc|var|dev|run)\/|\.(?:pyc|gz|a|jar|war|ear|whl|egg|zip)$|\.dist-info\/RECORD$|^\/\.dockerenv$|^\/usr\/sbin\/policy-rc\.d$/;

export function rulesFor(path: Path): readonly Rule[] {
  return BEGINNINGS.test(path) ? FILE_RULES.filter((rule) => rule.applies(path)) : [];
}
