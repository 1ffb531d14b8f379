import { type AptSource, parseAptSources } from '../../../model/apt-sources.ts';
import { isDebians } from '../../apt-repositories.ts';
import type { ShellCommand } from '../../shell/command.ts';
import { type DockerfileScene, type Fault, shownUrl } from './fault.ts';
import { isKeyring, keyDownloads } from './repository-keys.ts';
import type { Step } from '../../dockerfile-steps.ts';

const CODE = 'repository-key-unpinned';
const SOURCES = /^\/etc\/apt\/(?:sources\.list|sources\.list\.d\/[^/]*)$/;
/** apt(8), apt-get(8), apt.conf(5): what installs packages that nothing vouches for. */
const UNAUTHENTICATED =
  /^--(?:allow-unauthenticated|force-yes|allow-insecure-repositories)$|(?:AllowUnauthenticated|AllowInsecureRepositories|AllowDowngradeToInsecureRepositories)=["']?(?:true|yes|1)/i;

/** sources.list(5): `[trusted=yes]`, `Trusted: yes`. */
const TRUSTED =
  /\[[^\]\n]*\b(?:trusted|allow-insecure)=(?:yes|true|1|on|with|enable)\b|^[ \t]*(?:trusted|allow-insecure):[ \t]*(?:yes|true|1|on|with|enable)[ \t]*$/im;

/** Repositories beside Debian's whose packages are trusted by a key that nothing in the Dockerfile pins, or by none. */
export function* unpinnedRepositories({ steps, unchecked }: DockerfileScene): Generator<Fault> {
  for (const [index, step] of steps.entries()) {
    const { downloads, adds } = unchecked[index] ?? { downloads: [], adds: [] };
    for (const { url, output } of adds) if (isKeyring(output)) yield keyFault(step.instruction.line, url);
    for (const { command, urls } of downloads.filter(keyDownloads(step.commands))) yield keyFault(step.lineOf(command), urls[0] ?? '');
    for (const command of step.commands) yield* faultsOf(command, step);
  }
}

function keyFault(line: number, address: string): Fault {
  const url = shownUrl(address);
  return { code: CODE, line, message: `the key from ${url} is trusted by apt, whichever key comes`, evidence: { url } };
}

function* faultsOf(command: ShellCommand, step: Step): Generator<Fault> {
  const { name = '', args } = command;
  const line = step.lineOf(command);
  if (name === 'apt-key' && args.includes('adv'))
    yield {
      code: CODE,
      line,
      message: 'apt-key adv trusts a key from a key server for every repository',
      evidence: { command: shown(command) },
    };
  if ((name === 'apt-get' || name === 'apt' || name === 'aptitude') && args.some((word) => UNAUTHENTICATED.test(word)))
    yield { code: CODE, line, message: `${name} installs packages that no key vouches for`, evidence: { command: shown(command) } };
  if (name === 'add-apt-repository' && args.some((word) => /^(?:ppa|cloud-archive):/.test(word)))
    yield {
      code: CODE,
      line,
      message: 'add-apt-repository takes the key of the repository from the network',
      evidence: { command: shown(command) },
    };
  const bare = (name === 'gpg' || name === 'gpg2') && args.some((word) => isKeyring(word)) ? shortKeys(args) : [];
  for (const key of bare)
    yield {
      code: CODE,
      line,
      message: `the key ${key} is named by too few digits: others can be made that have the same`,
      evidence: { command: shown(command) },
    };
  for (const { source, trusted } of sourcesOf(command)) {
    const where = shownUrl(`${source.address} ${source.suite}`);
    if (trusted) yield { code: CODE, line, message: `${where} is trusted without any signature`, evidence: { repository: where } };
    else if (source.signedBy === undefined && !isOfDistribution(source))
      yield {
        code: CODE,
        line,
        message: `${where} is trusted by every key that apt knows, not by its own`,
        evidence: { repository: where },
      };
  }
}

/** Keys that are asked for by less than a whole fingerprint. */
function shortKeys(args: readonly string[]): string[] {
  const at = args.findIndex((word) => /^--(?:recv-keys?|receive-keys|locate-keys)$/.test(word));
  return at < 0 ? [] : args.slice(at + 1).filter((word) => /^(?:0x)?[0-9a-f]{8,39}$/i.test(word.replaceAll(' ', '')));
}

/** The apt sources that a command writes: `echo "deb …" > /etc/apt/sources.list.d/x.list`, `tee`, here-documents. */
function sourcesOf(command: ShellCommand): { source: AptSource; trusted: boolean }[] {
  const { name = '', args, writes, to } = command;
  const written = [...writes, ...to.flatMap((one) => (one.name === 'tee' ? [...one.args, ...one.writes] : []))].find((path) =>
    SOURCES.test(path),
  );
  const said = name === 'add-apt-repository' ? args.filter((word) => /^deb\s/.test(word)).join('\n') : undefined;
  if (written === undefined && said === undefined) return [];
  const text =
    said ??
    `${
      name === 'echo' || name === 'printf'
        ? args
            .filter((word) => !/^-[neE]+$/.test(word))
            .join(' ')
            .replaceAll('\\n', '\n')
        : ''
    }\n${command.input}`;
  const stanzas = written?.endsWith('.sources') === true;
  return text
    .split(stanzas ? /\n[ \t]*\n/ : '\n')
    .flatMap((one) =>
      parseAptSources(stanzas ? 'x.sources' : 'x.list', one.trimStart()).map((source) => ({ source, trusted: TRUSTED.test(one) })),
    );
}

/** Debian's and Ubuntu's own addresses, and mirrors of them: apt has the keys of both. */
function isOfDistribution(source: AptSource): boolean {
  const { hostname, pathname } = new URL(source.address);
  if (
    /(?:^|\.)(?:debian\.org|debian\.net|ubuntu\.com)$/.test(hostname) &&
    /\/(?:debian(?:-security|-archive)?|ubuntu(?:-ports)?)(?:\/|$)|^\/(?:archive\/)/.test(pathname)
  )
    return true;
  return isDebians(source) && /\/(?:debian(?:-security)?|ubuntu)$/.test(pathname.replace(/\/+$/, ''));
}

function shown({ name = '', args }: ShellCommand): string {
  return `${name} ${args.join(' ')}`.slice(0, 200);
}
