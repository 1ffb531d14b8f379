import type { FindingCode } from '../model/finding-codes.ts';
import type { Path } from '../model/path.ts';

/**
 * Places where a file that is no program decides what runs, who may log in or whom the system trusts. `what` completes the
 * sentence "PATH …".
 */
export type Place = {
  code: FindingCode;
  what: string;
  matches: RegExp;
  /** As grave when a base image makes it: nothing honest needs it, and a rebuild on that base says nothing. */
  stays?: true;
};

export const PLACES: readonly Place[] = [
  {
    code: 'preload-configured',
    what: 'makes the loader load libraries into every program',
    matches: /^\/etc\/ld\.so\.preload$/,
    stays: true,
  },
  {
    code: 'loader-changed',
    what: 'decides where libraries, names or character sets are looked up',
    matches:
      /^\/etc\/(?:ld\.so\.(?:conf|cache)|ld\.so\.conf\.d\/.+|nsswitch\.conf|host\.conf|gai\.conf)$|\/gconv-modules(?:\.cache|\.d\/.+)?$/,
  },
  {
    code: 'ssh-access',
    what: 'decides who may log in over SSH',
    matches:
      /\/\.ssh\/(?:authorized_keys2?|rc|environment)$|^\/etc\/ssh\/(?:sshd_config(?:\.d\/.+)?|sshrc|authorized_keys.*)$|^\/(?:root|home\/[^/]+)\/\.(?:rhosts|shosts)$|^\/etc\/hosts\.equiv$/,
  },
  {
    code: 'scheduled-job',
    what: 'is run at set times',
    matches:
      /^\/etc\/(?:crontab|anacrontab|cron\.(?:d|hourly|daily|weekly|monthly|allow|deny)(?:\/.+)?)$|^\/var\/spool\/(?:cron|anacron|at|atjobs)\/.+|^\/etc\/logrotate\.d\/.+/,
  },
  {
    code: 'service-unit',
    what: 'is started as a service, or decides how',
    matches:
      /^\/(?:etc|usr\/lib|lib|run|usr\/local\/lib)\/systemd\/.+|^\/etc\/(?:init\.d|rc[0-9S]\.d)\/.+|^\/etc\/(?:rc\.local|sysctl\.conf|inittab|inetd\.conf|xinetd\.d\/.+|profile\.d\/systemd.*)$|^\/(?:etc|usr\/lib|usr\/share)\/(?:udev\/rules\.d|dbus-1\/system(?:-services|\.d)?|modprobe\.d|sysctl\.d|modules-load\.d|tmpfiles\.d|sysusers\.d|binfmt\.d|supervisor\/conf\.d)\/.+/,
  },
  {
    code: 'sudo-rule',
    what: 'decides who may act as another user',
    matches:
      /^\/etc\/(?:sudoers|sudoers\.d\/.+|doas\.conf|polkit-1\/.+|security\/.+)$|^\/usr\/share\/polkit-1\/rules\.d\/.+|^\/etc\/(?:subuid|subgid)-?$/,
  },
  {
    code: 'apt-trust-changed',
    what: 'decides what apt and dpkg trust, ask or run',
    matches:
      /^\/etc\/apt\/.+|^\/etc\/dpkg\/.+|^\/usr\/share\/keyrings\/.+|^\/usr\/(?:local\/)?share\/ca-certificates\/.+|^\/etc\/ssl\/certs\/.+|^\/etc\/ca-certificates(?:\.conf|\/update\.d\/.+)$|^\/usr\/lib\/ssl\/.+|^\/etc\/ssl\/openssl\.cnf$/,
  },
  {
    code: 'pam-changed',
    what: 'decides how logins are checked',
    matches:
      /^\/etc\/(?:pam\.conf|pam\.d\/.+|login\.defs|securetty|shells)$|^\/usr\/(?:lib|share)\/pam(?:-configs)?\/.+|^\/(?:usr\/)?lib\/[^/]+\/security\/.+/,
  },
  {
    code: 'login-script',
    what: 'is read by shells or interpreters when they start',
    matches:
      /^\/etc\/(?:profile|profile\.d\/.+|bash\.bashrc|bash\.bash_logout|zsh\/.+|environment|environment\.d\/.+|security\/pam_env\.conf|skel\/.+|inputrc|perl\/sitecustomize\.pl|python3[^/]*\/.+|php\/.+\.ini|npmrc|pip\.conf|gitconfig)$|^\/(?:root|home\/[^/]+)\/\.(?:bashrc|profile|bash_profile|bash_login|bash_logout|zshrc|zshenv|pythonrc|pip\/.+|config\/(?:pip|autostart|systemd)\/.+)$|\/(?:sitecustomize|usercustomize)\.py$|\/(?:site|dist)-packages\/[^/]+\.pth$/,
  },
];

/** Files of accounts are read, not only named: see findings/accounts.ts. */
const ACCOUNT_FILE = /^\/etc\/(?:passwd|group|shadow|gshadow)-?$/;

export function placeOf(path: Path): Place | undefined {
  return PLACES.find(({ matches }) => matches.test(path));
}

export function isSensitive(path: Path): boolean {
  return ACCOUNT_FILE.test(path) || placeOf(path) !== undefined;
}
