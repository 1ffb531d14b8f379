import type { ShellCommand } from '../../shell/command.ts';
import { baseName } from '../../shell/programs.ts';
import type { Download } from './fetched.ts';

/** Hashes that nobody makes a second file for. MD5 and SHA-1 are none. */
const HASHER = /^(?:sha(?:224|256|384|512)sum|sha(?:256|512)|b2sum|b3sum|shasum|rhash)$/;
const GPG = /^gpgv?2?$/;
const LONG_FINGERPRINT = /(?:[0-9A-F]{4}\s*){10}/i;

/** What a check covers: files by name, or whatever was downloaded before it in the step, where its list is not known. */
type Covered = { text: string } | 'all';
export type Check = { command: ShellCommand; covers: Covered };

/**
 * The commands of a step that end the build where a file is another than was meant. A check whose failure is not heeded is none, and
 * neither is one by a list of checksums that came from the same place as the file.
 */
export function checksOf(commands: readonly ShellCommand[], downloads: readonly Download[]): Check[] {
  return commands.flatMap((command) => {
    const covers = coveredBy(command, commands, downloads);
    return covers === undefined ? [] : [{ command, covers }];
  });
}

/** Whether a check covers one of these files; `byName`, only where it names it. */
export function covers({ covers: covered }: Check, outputs: readonly string[], byName: boolean): boolean {
  if (covered === 'all') return !byName && outputs.length > 0;
  return outputs.some((output) => mentions(covered.text, output));
}

function coveredBy(command: ShellCommand, commands: readonly ShellCommand[], all: readonly Download[]): Covered | undefined {
  const { name = '', args, fatal } = command;
  const text = args.join('\n');
  if (HASHER.test(name)) {
    if (name === 'shasum' && !/^(?:-a)?(?:224|256|384|512)|^--algorithm=(?!1$)/m.test(text)) return undefined;
    if (args.some((word) => word === '--check' || /^-[a-z]*c[a-z]*$/i.test(word)))
      return fatal ? listCheck(command, commands, all) : undefined;
    return isCompared(command, commands) ? { text } : undefined;
  }
  if (name === 'openssl' && /^(?:dgst\n-)?sha(?:256|384|512)\b/.test(text)) return isCompared(command, commands) ? { text } : undefined;
  if (GPG.test(name)) {
    if (name.startsWith('gpgv') || args.some((word) => /^--(?:verify(?:-files)?|decrypt)$|^-[a-z]*d$/.test(word)))
      return fatal ? { text: args.flatMap((word) => [word, word.replace(/\.(?:asc|sig|sign|gpg)$/, '')]).join('\n') } : undefined;
    const shows = args.some((word) => /^--(?:show-keys?|fingerprint|with-fingerprint|list-keys|import-options)/.test(word));
    return shows && comparesFingerprint(command)
      ? { text: `${text}\n${command.reads.join('\n')}\n${command.from.flatMap((one) => one.args).join('\n')}` }
      : undefined;
  }
  const verifies =
    (name === 'minisign' && /^-[a-z]*V/m.test(text)) ||
    (name === 'signify' && /^-[a-z]*V/m.test(text)) ||
    (name === 'cosign' && /^verify/m.test(text)) ||
    (name === 'openssl' && /^-(?:verify|prverify)$/m.test(text)) ||
    (name === 'slsa-verifier' && /^verify/m.test(text)) ||
    (name === 'gh' && /^attestation\nverify/m.test(text)) ||
    (name === 'rpmkeys' && /^(?:-K|--checksig)/m.test(text));
  return verifies && fatal ? { text } : undefined;
}

/** `sha256sum -c`: what its list names. */
function listCheck(command: ShellCommand, commands: readonly ShellCommand[], all: readonly Download[]): Covered | undefined {
  const files = [...command.args.filter((word) => !word.startsWith('-')), ...command.reads];
  const texts = [command.input];
  let open = false; // what else the list may name is not known
  const readList = (path: string): boolean => {
    const fetched = all.find(({ outputs }) => outputs.some((output) => sameFile(output, path)));
    // A list from the same place says what whoever holds that place wants it to say, unless its signature was checked.
    if (fetched !== undefined) return commands.some((one) => GPG.test(one.name ?? '') && mentions(signedText(one), path));
    const writers = commands.filter(({ writes }) => writes.some((one) => sameFile(one, path)));
    if (writers.length === 0) open = true;
    for (const writer of writers) texts.push(spoken(writer));
    return true;
  };
  for (const file of files) if (!/^\d+$/.test(file) && !readList(file)) return undefined;
  for (const feeder of command.from) {
    if (/^(?:echo|printf|:)$/.test(feeder.name ?? '') || feeder.input !== '') {
      texts.push(spoken(feeder));
      continue;
    }
    const read = [...feeder.args.filter((word, at) => !word.startsWith('-') && (feeder.name === 'cat' || at > 0)), ...feeder.reads];
    if (read.some((file) => !readList(file))) return undefined;
    texts.push(feeder.args.join('\n'));
  }
  const text = texts.join('\n');
  if (text.trim() === '' && !open) return command.from.length === 0 && files.length === 0 ? undefined : 'all';
  // A list that is a variable as a whole names nobody knows what; one that names its file is taken by its word.
  const named = all.some(({ outputs }) => outputs.some((output) => mentions(text, output)));
  return named || !(open || /\$[{(\w]/.test(text)) ? { text } : 'all';
}

function signedText(command: ShellCommand): string {
  if (
    !command.fatal ||
    !(command.name?.startsWith('gpgv') === true || command.args.some((word) => /^--(?:verify|decrypt)$|^-[a-z]*d$/.test(word)))
  )
    return '';
  return command.args.flatMap((word) => [word, word.replace(/\.(?:asc|sig|sign|gpg)$/, '')]).join('\n');
}

function spoken({ args, input }: ShellCommand): string {
  return `${args.join(' ').replaceAll('\\n', '\n')}\n${input}`;
}

/** `[ "$(sha256sum f | cut …)" = "$SUM" ]`, `sum=$(sha256sum f …); [ "$sum" = … ]`, `sha256sum f | grep -q SUM`. */
function isCompared(command: ShellCommand, commands: readonly ShellCommand[]): boolean {
  const isTest = (one: ShellCommand | undefined): boolean => one !== undefined && one.fatal && /^(?:\[|\[\[|test)$/.test(one.name ?? '');
  const { within, into, to } = command;
  if (isTest(within?.command)) return true;
  if (into !== undefined) return commands.some((one) => isTest(one) && one.uses.has(into));
  return to.some(
    (one) => one.fatal && /^(?:grep|fgrep|egrep)$/.test(one.name ?? '') && one.args.some((word) => /[0-9a-f]{56}|\$/i.test(word)),
  );
}

function comparesFingerprint(command: ShellCommand): boolean {
  const says = (one: ShellCommand | undefined): boolean =>
    one !== undefined && one.fatal && one.args.some((word) => LONG_FINGERPRINT.test(word) || /\$\{?\w*(?:FINGERPRINT|FPR|KEY)/i.test(word));
  const compares = (one: ShellCommand): boolean => /^(?:grep|fgrep|egrep|awk|gawk)$/.test(one.name ?? '') && says(one);
  return command.to.some(compares) || says(command.within?.command) || command.within?.command.to.some(compares) === true;
}

/** The same file by its name, as far as words tell: folders are entered on the way. */
export function sameFile(a: string, b: string): boolean {
  return baseName(a) === baseName(b) && baseName(a) !== '';
}

/** Whether a text names a file, by its last component, and not as a part of a longer name. */
function mentions(text: string, path: string): boolean {
  const name = baseName(path);
  if (name === '') return false;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + name.length)) {
    const before = text[at - 1] ?? ' ';
    const after = text[at + name.length] ?? ' ';
    if (!/[\w.-]/.test(before) && !/[\w-]/.test(after) && !(after === '.' && /\w/.test(text[at + name.length + 1] ?? ' '))) return true;
  }
  return false;
}
