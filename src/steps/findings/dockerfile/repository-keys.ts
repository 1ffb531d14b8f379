import type { ShellCommand } from '../../shell/commands.ts';
import { baseName } from '../../shell/programs.ts';
import type { Download } from './fetched.ts';

/** Where apt looks for keys, and where they are kept for it. */
const KEYRING = /^\/(?:etc\/apt\/(?:keyrings|trusted\.gpg(?:\.d)?)|usr\/(?:local\/)?share\/keyrings)(?:\/|$)/;

export function isKeyring(path: string): boolean {
  return KEYRING.test(path);
}

/** Whether a download is a key for apt: by where it goes, or by what reads it. */
export function isKeyDownload({ outputs, to }: Pick<Download, 'outputs' | 'to'>): boolean {
  return outputs.some(isKeyring) || to.some(takesKey);
}

function takesKey({ name, args }: ShellCommand): boolean {
  return (
    (name === 'apt-key' && args.includes('add')) || (name === 'gpg' && args.some((word) => word === '--dearmor' || word === '--dearmour'))
  );
}

/** Whether a key that was downloaded to another place first is brought to a keyring by one of these commands. */
export function becomesKey({ outputs }: Pick<Download, 'outputs'>, commands: readonly ShellCommand[]): boolean {
  const names = new Set(outputs.map(baseName));
  return commands.some(({ name, args, writes }) => {
    const used = args.some((word) => names.has(baseName(word)));
    if (!used) return false;
    if (name === 'apt-key') return args.includes('add');
    return (
      (name === 'gpg' || name === 'cp' || name === 'mv' || name === 'install' || name === 'cat') && [...args, ...writes].some(isKeyring)
    );
  });
}
