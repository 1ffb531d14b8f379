import { alwaysAt, type Rule } from './rule.ts';

export const lockFiles: Rule = {
  name: 'lock-files',
  version: 1,
  reason: 'empty files that dpkg, apt, debconf and adduser lock against one another',
  applies: alwaysAt(
    '/etc/.pwd.lock',
    '/run/adduser',
    '/var/cache/apt/archives/lock',
    '/var/cache/debconf/passwords.dat',
    '/var/lib/apt/daily_lock',
    '/var/lib/apt/lists/lock',
    '/var/lib/dpkg/lock',
    '/var/lib/dpkg/lock-frontend',
    '/var/lib/dpkg/triggers/Lock',
  ),
  form: ({ facts }) => facts.size === 0 && facts.uid === 0,
  mayBeAbsent: true,
};
