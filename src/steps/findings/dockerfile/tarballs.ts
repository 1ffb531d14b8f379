import type { ShellCommand } from '../../shell/command.ts';
import { addedUrls, downloadsOf } from './fetched.ts';
import { type DockerfileScene, type Fault, shownUrl } from './fault.ts';

const ARCHIVE = /\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|zip)$/i;
/** `name-1.2.3.tar.gz`, `name_1.2.orig.tar.xz`, with the version in a variable as well. */
const NAMED = /^(.{1,80}?)[-_.]v?(?:\d|\$)/;
/** Forges name an archive by its tag alone: `/owner/name/archive/refs/tags/v1.2.tar.gz`. */
const FORGE = /\/([^/]+)\/(?:-\/)?(?:archive|tarball|zipball)\//;

/** Programs that a step compiles from an archive although Debian has a package of them, which is signed, patched and built elsewhere as well. */
export function* compiledPackages({ steps, packaged }: DockerfileScene): Generator<Fault> {
  for (const [index, step] of steps.entries()) {
    const compiler = step.commands.find(compiles);
    if (compiler === undefined) continue;
    const earlier = steps.slice(0, index).filter(({ stage }) => stage === step.stage);
    const urls = new Set(
      [...earlier, step].flatMap((one) => [
        ...downloadsOf(one.commands).flatMap((download) => download.urls),
        ...addedUrls(one).map(({ url }) => url),
      ]),
    );
    for (const url of urls) {
      const name = nameOf(url);
      const known = name === undefined ? undefined : packaged(name);
      if (name === undefined || known === undefined) continue;
      yield {
        code: 'compiled-package',
        line: step.lineOf(compiler),
        message: `${name} is compiled from an archive, and Debian has it: ${known}`,
        evidence: { url: shownUrl(url), package: known },
      };
    }
  }
}

/** The usual ways to begin with a source tree; `make` alone may do anything. */
function compiles({ name = '', args }: ShellCommand): boolean {
  if (/^(?:configure|Configure|config)$/.test(name)) return true;
  if (name === 'cmake' || name === 'meson') return !args.includes('--version');
  return name === 'make' && args.some((word) => /^(?:install|all)\b/.test(word));
}

function nameOf(url: string): string | undefined {
  const path = url.replace(/[?#].*$/, '');
  if (!ARCHIVE.test(path) && !FORGE.test(path)) return undefined;
  const file = path.slice(path.lastIndexOf('/') + 1);
  return (FORGE.exec(path)?.[1] ?? NAMED.exec(file)?.[1])?.toLowerCase();
}
