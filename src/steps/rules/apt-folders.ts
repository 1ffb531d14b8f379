import { alwaysAt, type Rule } from './rule.ts';

export const aptFolders: Rule = {
  name: 'apt-folders',
  version: 1,
  reason:
    'apt gives the folders that it downloads to to its own unprivileged user when it runs (apt-pkg/acquire.cc); the account is known by its name, and what lies in them has accounts of its own',
  applies: alwaysAt('/var/lib/apt/lists/partial', '/var/lib/apt/lists/auxfiles', '/var/cache/apt/archives/partial'),
  admits: ({ kind, mode, gid, xattrs }) => kind === 'directory' && (mode === 0o700 || mode === 0o755) && gid === 0 && xattrs === undefined,
  form: ({ facts }, { userOf }) => facts.uid === 0 || userOf(facts.uid) === '_apt',
  mayBeAbsent: true,
};
