import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Git } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { HISTORY_LIMITS, readHistory, type HistoryLimits } from './history.ts';
import { runGit, type GitCommand, type GitLimits } from './run.ts';
import { listTree, tarOfTree, type TreeLimits } from './tree.ts';

/** A forward proxy on loopback that refuses private addresses, also after DNS and redirects. All of git's HTTP goes through it. */
export type GuardedProxy = {
  /** `http://127.0.0.1:port` */
  address: string;
  /** What was refused so far, in words. */
  refusals(): readonly string[];
  close(): Promise<void>;
};

export type GitOptions = {
  openProxy: () => Promise<GuardedProxy>;
  /** Clones are made in folders below it. */
  workDir: string;
  limits?: Partial<GitLimits & TreeLimits>;
  historyLimits?: HistoryLimits;
};

const LIMITS: GitLimits & TreeLimits = {
  seconds: 300,
  packBytes: 2 * 2 ** 30, // the whole history of nearly every project with a Dockerfile
  memoryBytes: 6 * 2 ** 30,
  entries: 200_000,
  bytes: 4 * 2 ** 30,
};

/** The real git, hardened. Nothing of a repository is ever checked out: its objects are read. */
export function makeGit(options: GitOptions): Git {
  const limits = { ...LIMITS, ...options.limits };

  /** A folder and a proxy for one clone. What the proxy refused is the reason of whatever failed. */
  const open = async (): Promise<Workplace> => {
    await mkdir(options.workDir, { recursive: true });
    const cwd = await mkdtemp(join(options.workDir, 'git-'));
    const proxy = await options.openProxy();
    return {
      command: { cwd, proxy: proxy.address, limits },
      async guarded(work) {
        try {
          return await work();
        } catch (thrown) {
          const [refusal] = proxy.refusals();
          if (refusal === undefined) throw thrown;
          throw new Problem('address-refused', `the repository leads to an address that is not to be reached: ${refusal}`, {
            cause: thrown,
          });
        }
      },
      async done() {
        await proxy.close();
        await rm(cwd, { recursive: true, force: true });
      },
    };
  };

  return {
    async pin({ url, ref }) {
      const address = checkedUrl(url);
      checkRef(ref);
      const { command, guarded, done } = await open();
      try {
        const refs = await guarded(() => remoteRefs(command, address));
        const named = namedRef(refs, ref);
        return named === undefined ? undefined : (refs.get(`${named}^{}`) ?? refs.get(named));
      } finally {
        await done();
      }
    },

    async fetch(source) {
      const url = checkedUrl(source.url);
      const subdir = checkedSubdir(source.subdir);
      checkRef(source.ref);
      const { command, guarded, done } = await open();
      try {
        const commit = await guarded(() => clone(command, url, source.ref));
        const tree = await treeOf(command, commit, subdir, source.subdir);
        const entries = await listTree(command, tree, limits);
        const time = (await runGit(command, ['show', '-s', '--format=%ct', '--end-of-options', commit])).toString('latin1');
        return {
          commit,
          tar: Readable.from(tarOfTree(command, entries, Number(time.trim())), { objectMode: false }),
          history: () =>
            guarded(async () => {
              await fetchEverything(command, url);
              const prefix = subdir === '' ? Buffer.alloc(0) : Buffer.from(`${subdir}/`);
              return readHistory(command, entries, prefix, options.historyLimits ?? HISTORY_LIMITS);
            }),
          done,
        };
      } catch (thrown) {
        await done();
        throw thrown;
      }
    },
  };
}

/** Milliseconds: longer than any clone may take. */
const ABANDONED_MS = 6 * 60 * 60 * 1000;

/** Removes the clones of processes that were killed. Others may be at work in the same folder: only old ones go. */
export async function sweepClones(workDir: string, now: Date): Promise<void> {
  for (const name of await readdir(workDir).catch(() => [])) {
    const folder = join(workDir, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
    if (name.startsWith('git-') && now.getTime() - mtimeMs > ABANDONED_MS) await rm(folder, { recursive: true, force: true });
  }
}

type Workplace = {
  command: GitCommand;
  guarded<Result>(work: () => Promise<Result>): Promise<Result>;
  done(): Promise<void>;
};

/** Throws `invalid-source`. A password in an address would end up in a signed statement. */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new Problem('invalid-source', 'the address of the git repository is not an http or https URL');
  if (url.username !== '' || url.password !== '')
    throw new Problem('invalid-source', 'the address of the git repository holds credentials');
  url.hash = '';
  return url.href;
}

function checkedSubdir(text = ''): string {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || text.includes('\0')) throw new Problem('invalid-source', 'the subdir leaves the repository');
  return parts.join('/');
}

const HEX = /^[0-9a-f]+$/i;

/** git-check-ref-format(1). Throws `invalid-source`. */
function checkRef(ref: string | undefined): void {
  if (ref !== undefined && (ref === '' || ref.startsWith('-') || /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{/.test(ref)))
    throw new Problem('invalid-source', 'the ref is not a name that git allows');
}

/** Makes the clone and fetches the commit that `ref` names: HEAD, a branch, a tag, a full or a short commit id. */
async function clone(command: GitCommand, url: string, ref: string | undefined): Promise<string> {
  const refs = await remoteRefs(command, url);
  const named = namedRef(refs, ref);
  const format = [...refs.values()][0]?.length === 64 ? 'sha256' : 'sha1';
  await runGit(command, ['init', '--quiet', '--bare', `--object-format=${format}`, '--template=', '.']);
  if (named !== undefined) return fetchOne(command, url, named);
  if (ref === undefined) throw new Problem('invalid-source', 'the repository has no default branch');
  if (!HEX.test(ref) || ref.length < 4 || ref.length > 64) throw noSuchRef(ref);
  if (ref.length === 40 || ref.length === 64) {
    try {
      return await fetchOne(command, url, ref.toLowerCase());
    } catch (thrown) {
      // Servers that only give what a ref points to: the commit may still be within the history of one.
      if (!(thrown instanceof Problem) || thrown.code !== 'invalid-source') throw thrown;
    }
  }
  await fetchEverything(command, url);
  return revision(command, `${ref}^{commit}`, () => noSuchRef(ref));
}

/** What the remote offers, by full name; the commit of an annotated tag stands under the tag's name with `^{}` behind it. */
async function remoteRefs(command: GitCommand, url: string): Promise<Map<string, string>> {
  const listing = await runGit(command, ['ls-remote', '--quiet', '--end-of-options', url]);
  const refs = new Map<string, string>();
  for (const line of listing.toString('latin1').split('\n')) {
    const [oid = '', name = ''] = line.split('\t');
    if (HEX.test(oid) && name !== '') refs.set(name, oid);
  }
  return refs;
}

/** gitrevisions(7): the rule by which a short name is looked up. */
function namedRef(refs: Map<string, string>, ref: string | undefined): string | undefined {
  if (ref === undefined) return refs.has('HEAD') ? 'HEAD' : undefined;
  const name = Buffer.from(ref).toString('latin1');
  return [name.startsWith('refs/') ? name : undefined, `refs/tags/${name}`, `refs/heads/${name}`].find(
    (candidate) => candidate !== undefined && refs.has(candidate),
  );
}

async function fetchOne(command: GitCommand, url: string, what: string): Promise<string> {
  const name = Buffer.from(what, 'latin1').toString();
  await runGit(command, [
    'fetch',
    '--quiet',
    '--no-tags',
    '--depth=1',
    '--no-write-fetch-head',
    '--end-of-options',
    url,
    `+${name}:refs/pinned`,
  ]);
  return revision(command, 'refs/pinned^{commit}', () => new Problem('invalid-source', 'the ref names no commit'));
}

async function fetchEverything(command: GitCommand, url: string): Promise<void> {
  const shallow = (await runGit(command, ['rev-parse', '--is-shallow-repository'])).toString('latin1').trim() === 'true';
  // prettier-ignore
  await runGit(command, ['fetch', '--quiet', '--no-tags', ...(shallow ? ['--unshallow'] : []), '--no-write-fetch-head', '--end-of-options', url, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']);
}

async function treeOf(command: GitCommand, commit: string, subdir: string, asked: string | undefined): Promise<string> {
  const missing = (): Problem => new Problem('invalid-source', `the commit has no folder ${asked ?? ''}`);
  const tree = await revision(command, subdir === '' ? `${commit}^{tree}` : `${commit}:${subdir}`, missing);
  const type = (await runGit(command, ['cat-file', '-t', tree])).toString('latin1').trim();
  if (type !== 'tree') throw missing();
  return tree;
}

async function revision(command: GitCommand, expression: string, missing: () => Problem): Promise<string> {
  try {
    return (await runGit(command, ['rev-parse', '--verify', '--quiet', '--end-of-options', expression])).toString('latin1').trim();
  } catch {
    throw missing();
  }
}

const noSuchRef = (ref: string): Problem => new Problem('invalid-source', `the repository has no branch, tag or commit ${ref}`);
