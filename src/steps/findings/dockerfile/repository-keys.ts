import type { ShellCommand } from '../../shell/command.ts';
import { baseName } from '../../shell/programs.ts';
import type { Download } from './fetched.ts';

/** Where apt looks for keys, and where they are kept for it. */
const KEYRING = /^\/(?:etc\/apt\/(?:keyrings|trusted\.gpg(?:\.d)?)|usr\/(?:local\/)?share\/keyrings)(?:\/|$)/;

export function isKeyring(path: string): boolean {
  return KEYRING.test(path);
}

/** Tells of a download in these commands whether it is a key for apt: by where it goes, by what reads it, or by what is done with it then. */
export function keyDownloads(commands: readonly ShellCommand[]): (download: Pick<Download, 'outputs' | 'to'>) => boolean {
  const brought = new Set(commands.filter(bringsKey).flatMap(({ args }) => args.map(baseName)));
  return ({ outputs, to }) => outputs.some((path) => isKeyring(path) || brought.has(baseName(path))) || to.some(takesKey);
}

function takesKey({ name, args }: ShellCommand): boolean {
  return addsToApt({ name, args }) || (name === 'gpg' && args.some((word) => word === '--dearmor' || word === '--dearmour'));
}

/** Whether a command brings a file that it names to a keyring. */
function bringsKey({ name, args, writes }: ShellCommand): boolean {
  return addsToApt({ name, args }) || (/^(?:gpg|cp|mv|install|cat)$/.test(name ?? '') && [...args, ...writes].some(isKeyring));
}

function addsToApt({ name, args }: Pick<ShellCommand, 'name' | 'args'>): boolean {
  return name === 'apt-key' && args.includes('add');
}
