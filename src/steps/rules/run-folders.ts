import type { Rule } from './rule.ts';

const WORLD_WRITABLE = 0o002;

export const runFolders: Rule = {
  name: 'run-folders',
  version: 1,
  reason:
    'services make the folders of their sockets and process ids in /run when they are installed, if what makes them is installed already; what lies in one has an account of its own. Folders that anybody may write, or of an account that the packages do not make, are not excused',
  applies: (path) => path.startsWith('/run/'),
  admits: ({ kind, mode, xattrs }) => kind === 'directory' && (mode & (WORLD_WRITABLE | 0o4000)) === 0 && xattrs === undefined,
  form: ({ facts: { uid, gid } }, { isSystemUser, isSystemGroup }) => isSystemUser(uid) && isSystemGroup(gid),
  mayBeAbsent: true,
};
