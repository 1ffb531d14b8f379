import { parseStanza, splitStanzas } from '../../model/deb822.ts';
import { alwaysAt, equalBy, type Rule, type RuleContext, type Side, textOf } from './rule.ts';

const FIELDS: ReadonlySet<string> = new Set(['package', 'architecture', 'auto-installed']);

type State = { name: string; line: string };

/** Which packages came in as dependencies. apt writes them in the order of its cache: sorted here. */
function states(side: Side): State[] | undefined {
  const text = textOf(side);
  if (text === undefined) return undefined;
  const found: State[] = [];
  try {
    for (const piece of splitStanzas(text)) {
      const stanza = parseStanza(piece);
      const name = stanza.get('package');
      if (name === undefined || !/^[01]$/.test(stanza.get('auto-installed') ?? '')) return undefined;
      if (![...stanza.keys()].every((field) => FIELDS.has(field))) return undefined;
      found.push({ name, line: `${name}:${stanza.get('architecture') ?? ''} ${stanza.get('auto-installed')}` });
    }
  } catch {
    return undefined;
  }
  return found;
}

function compared(side: Side, { drifted }: RuleContext): string[] | undefined {
  return states(side)
    ?.filter(({ name }) => !drifted.has(name))
    .map(({ line }) => line)
    .sort();
}

/** Which packages were asked for by name is the Dockerfile's choice: every package it names must be a verified one. */
function namesVerified(side: Side, { verified }: RuleContext): boolean {
  return states(side)?.every(({ name }) => verified.has(name)) === true;
}

export const aptExtendedStates: Rule = {
  name: 'apt-extended-states',
  version: 1,
  reason:
    'apt notes which packages came in as dependencies, in the order of its cache; compared as a set. It names packages and decides nothing but autoremove',
  applies: alwaysAt('/var/lib/apt/extended_states'),
  equal: equalBy(compared),
  regenerates: (side, _reinstalled, context) => namesVerified(side, context),
  form: namesVerified,
};
