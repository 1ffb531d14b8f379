import { parseStanza, splitStanzas } from '../../model/deb822.ts';
import { alwaysAt, type Rule, type Side, textOf } from './rule.ts';

/** Fields that make a stanza one of an index, not one of what is installed. */
const NAMED = ['package', 'version', 'architecture'];

function isAvailable(side: Side): boolean {
  const text = textOf(side);
  if (text === undefined) return false;
  try {
    return splitStanzas(text).every((piece) => {
      const stanza = parseStanza(piece);
      return stanza.size === 0 || (NAMED.every((field) => stanza.has(field)) && !stanza.has('status'));
    });
  } catch {
    return false;
  }
}

export const dpkgAvailable: Rule = {
  name: 'dpkg-available',
  version: 1,
  reason: 'debootstrap hands dpkg the index that it installs from; dselect alone ever reads that list, so only its form is checked',
  applies: alwaysAt('/var/lib/dpkg/available'),
  form: isAvailable,
  formOnly: () => true,
  mayBeAbsent: true,
};

export const dselectMethod: Rule = {
  name: 'dselect-method',
  version: 1,
  reason: 'debootstrap tells dselect to use apt; compared to the letter',
  applies: alwaysAt('/var/lib/dpkg/cmethopt'),
  known: (side) => textOf(side) === 'apt apt\n',
};
