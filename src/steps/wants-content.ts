import type { Path } from '../model/path.ts';

/** Bytes. Configuration, logs and templates are far smaller; whatever is larger is compared by its digest alone. */
const CONTENT_BYTES_MAX = 1024 * 1024;
/** Bytes. A desktop with 5,000 packages has a status file of 8 MiB. */
const STATUS_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes. Translated into 80 languages, the questions of 500 packages are some MiB. */
const DEBCONF_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes. Keys, tokens and password files are a few hundred bytes. */
const SECRET_BYTES_MAX = 64 * 1024;

/** Whole folders, each with the rule that reads it. */
const FOLDERS = [
  '/etc/', // accounts, cron, ld.so.preload, PAM, alternatives, apt sources; text that is shown as a difference
  '/var/lib/dpkg/', // status, status.d, diversions, statoverride, alternatives, triggers; `info/` is taken out below
  '/var/log/', // dpkg.log, apt/history.log, alternatives.log: compared without their times
  '/usr/share/base-files/', // the originals of /etc/profile, /etc/motd, /root/.profile …
  '/usr/share/base-passwd/', // the accounts every system has
  '/usr/share/libc-bin/', // nsswitch.conf
  '/usr/share/debianutils/', // /etc/shells
  '/usr/share/pam/', // /etc/pam.d/common-*
  '/usr/share/pam-configs/',
  '/usr/share/ca-certificates/', // ca-certificates.crt is their concatenation
  '/usr/local/share/ca-certificates/',
  '/usr/lib/sysusers.d/', // accounts that packages add
  '/var/lib/pam/',
  '/var/lib/ucf/', // which template a registered file comes from
  '/var/lib/systemd/deb-systemd-helper-enabled/',
  '/var/lib/systemd/deb-systemd-user-helper-enabled/',
  '/var/spool/cron/',
  '/var/lib/exim4/', // compared without the builder's own name
  '/var/cache/fontconfig/', // compared without the times of the font folders
] as const;

const FILES: ReadonlySet<Path> = new Set([
  '/usr/lib/os-release', // which release the packages are of
  '/usr/sbin/policy-rc.d', // every statement of it is compared
  '/var/lib/apt/extended_states',
  '/var/lib/shells.state',
  '/var/lib/dbus/machine-id',
  '/var/cache/ldconfig/aux-cache', // compared without inode numbers and times
]);

/** A signed list of an archive's files: it dates the installation, in whichever layer it stands. */
const APT_LIST = /^\/var\/lib\/apt\/lists\/[^/]+(?:InRelease|_Release|_Release\.gpg)$/;

/** Keys by which apt sources may be signed; those of Debian are pinned here and compared by digest. */
const APT_KEY = /^\/usr\/(?:local\/)?share\/keyrings\/(?!debian-archive-)[^/]+\.(?:gpg|pgp|asc)$/;

/** Root's own settings; not its caches, which can be of any size. */
const ROOT_SETTINGS = /^\/root\/\.[^/]+$/;

/** Names that secrets have; a private key or token is recognised by its text. */
const SECRET =
  /(?:^|\/)(?:id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|\.env(?:\.[^/]*)?|\.npmrc|\.pypirc|\.netrc|\.pgpass|\.git-credentials|\.dockerconfigjson|\.htpasswd|credentials(?:\.json)?|secrets?(?:\.[^/]*)?|kubeconfig|config\.json|[^/]*\.(?:pem|key|p12|pfx|jks|kdbx|ppk|asc|token|secret))$/i;

/** Compiled Python code beside modules that no package holds: compared without the time of its source. */
const BYTECODE = /^\/(?!usr\/lib\/python3).*\/__pycache__\/[^/]+\.pyc$/;
/** Bytes. Ten times what a large module compiles to. */
const BYTECODE_BYTES_MAX = 256 * 1024;

/** What pip notes of the files that it installed: compared without what follows from the files. */
const WHEEL_RECORD = /\.dist-info\/RECORD$/;

/** Definitions and indexes of a database's own tables: compared without what the server draws. */
const TABLE = /^\/var\/lib\/mysql\/(?:mysql|sys|performance_schema)\/[^/]+\.(?:frm|MAI)$/;
/** Bytes. The largest index of them has 64 kB. */
const TABLE_BYTES_MAX = 256 * 1024;

/** What a fresh cluster of PostgreSQL starts from, and its statistics: compared without what initdb draws. */
const CLUSTER = /^\/var\/lib\/postgresql\/\d+\/main\/(?:global\/pg_control|pg_stat\/pgstat\.stat)$/;
/** Bytes. Statistics of a fresh cluster have some 50 kB. */
const CLUSTER_BYTES_MAX = 256 * 1024;

/** Where start scripts stand: what they run is read off them. */
const START_SCRIPT = /^\/(?:[^/]+|usr\/local\/s?bin\/[^/]+|(?:app|opt|srv)\/[^/]+\.sh)$/;
/** Bytes. The start scripts of databases, the longest there are, have some 15 kB. */
const START_SCRIPT_BYTES_MAX = 32 * 1024;

/** A file's own words for what it is are of no use here: the path and the size decide, before its bytes are read. */
export function wantsContent(path: Path, size: number): boolean {
  if (path === '/var/lib/dpkg/status') return size <= STATUS_BYTES_MAX;
  if (path.startsWith('/var/cache/debconf/')) return size <= DEBCONF_BYTES_MAX;
  if (size > CONTENT_BYTES_MAX) return false;
  // Lists, checksums and scripts of 300 packages are 20 MB, and each is checked by its digest.
  if (path.startsWith('/var/lib/dpkg/info/')) return false;
  if (
    FILES.has(path) ||
    FOLDERS.some((folder) => path.startsWith(folder)) ||
    APT_LIST.test(path) ||
    APT_KEY.test(path) ||
    ROOT_SETTINGS.test(path) ||
    WHEEL_RECORD.test(path)
  )
    return true;
  if (TABLE.test(path)) return size <= TABLE_BYTES_MAX;
  if (CLUSTER.test(path)) return size <= CLUSTER_BYTES_MAX;
  if (BYTECODE.test(path)) return size <= BYTECODE_BYTES_MAX;
  return (size <= SECRET_BYTES_MAX && SECRET.test(path)) || (size <= START_SCRIPT_BYTES_MAX && START_SCRIPT.test(path));
}
