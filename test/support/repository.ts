import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Files = Record<string, string | Buffer | { executable: string | Buffer } | { symlink: string } | undefined>;

/** A git repository to be served: commits at fixed times, so that equal files give equal commits. */
export class TestRepository {
  readonly folder: string;
  #commits = 0;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git('init', '--quiet', '--initial-branch=main');
  }

  git(...args: string[]): string {
    return this.#run(args, '');
  }

  /** git-mktree(1): a tree object out of lines as `ls-tree` writes them. */
  makeTree(listing: string): string {
    return this.#run(['mktree'], `${listing}\n`);
  }

  #run(args: string[], input: string): string {
    return execFileSync('git', args, {
      cwd: this.folder,
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_AUTHOR_NAME: 'A Publisher',
        GIT_AUTHOR_EMAIL: 'publisher@example.org',
        GIT_COMMITTER_NAME: 'A Publisher',
        GIT_COMMITTER_EMAIL: 'publisher@example.org',
        GIT_AUTHOR_DATE: `${1_700_000_000 + this.#commits * 60} +0000`,
        GIT_COMMITTER_DATE: `${1_700_000_000 + this.#commits * 60} +0000`,
      },
    }).trim();
  }

  /** Writes the files (`undefined` removes one), commits everything and gives the commit's id. */
  commit(message: string, files: Files): string {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true, recursive: true });
      if (content === undefined) continue;
      if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(path, content);
      else if ('symlink' in content) symlinkSync(content.symlink, path);
      else {
        writeFileSync(path, content.executable);
        chmodSync(path, 0o755);
      }
    }
    this.#commits += 1;
    this.git('add', '--all', '--force');
    this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }
}
