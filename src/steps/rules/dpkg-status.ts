import { parseStanza, type Stanza, splitStanzas } from '../../model/deb822.ts';
import { alwaysAt, type Rule, type RuleContext, type Side, textOf } from './rule.ts';

/** Stanzas by package and architecture; undefined where the file does not parse or names one twice. */
function packages(side: Side): Map<string, Stanza> | undefined {
  const text = textOf(side);
  if (text === undefined) return undefined;
  const found = new Map<string, Stanza>();
  try {
    for (const piece of splitStanzas(text)) {
      const stanza = parseStanza(piece);
      const name = stanza.get('package');
      if (name === undefined || !stanza.has('status')) return undefined;
      const key = `${name}:${stanza.get('architecture') ?? ''}`;
      if (found.has(key)) return undefined;
      found.set(key, stanza);
    }
  } catch {
    return undefined;
  }
  return found;
}

const isInstalled = (stanza: Stanza): boolean => /^(?:install|hold) ok installed$/.test(stanza.get('status') ?? '');
/** What a removed package leaves: its conffiles and these lines. */
const isRemoved = (stanza: Stanza): boolean => /^(?:deinstall|purge) ok config-files$/.test(stanza.get('status') ?? '');

/**
 * Debian policy 2.4 and 2.5. The archive's overrides say otherwise than the control file in the .deb; debootstrap takes them from the
 * index, apt from the .deb. They order lists for people and choose what an installer begins with.
 */
const OVERRIDDEN: ReadonlyMap<string, RegExp> = new Map([
  ['priority', /^(?:required|important|standard|optional|extra)$/],
  ['section', /^(?:(?:contrib|non-free|non-free-firmware)\/)?[a-z][a-z0-9-]{1,30}$/],
]);

function isOverride(field: string, a: string, b: string | undefined): boolean {
  const form = OVERRIDDEN.get(field);
  return form !== undefined && b !== undefined && form.test(a) && form.test(b);
}

function sameStanza(a: Stanza, b: Stanza): boolean {
  if (a.size !== b.size) return false;
  for (const [field, value] of a) {
    const other = b.get(field);
    if (field === 'status' ? !(isInstalled(a) && isInstalled(b)) : other !== value && !isOverride(field, value, other)) return false;
  }
  return true;
}

function regenerates(published: Side, reinstalled: Side): boolean {
  const made = packages(published);
  const expected = packages(reinstalled);
  if (made === undefined || expected === undefined) return false;
  for (const [key, stanza] of made) {
    const other = expected.get(key);
    if (other === undefined ? !isRemoved(stanza) : !sameStanza(stanza, other)) return false;
    expected.delete(key);
  }
  return expected.size === 0;
}

/** Where packages moved on, their stanzas differ and no other. */
function equal(published: Side, rebuilt: Side, { drifted }: RuleContext): boolean {
  const a = packages(published);
  const b = packages(rebuilt);
  if (a === undefined || b === undefined || a.size !== b.size) return false;
  for (const [key, stanza] of a) {
    const other = b.get(key);
    if (other === undefined || (!drifted.has(stanza.get('package') ?? '') && !sameStanza(stanza, other))) return false;
  }
  return true;
}

export const dpkgStatus: Rule = {
  name: 'dpkg-status',
  version: 2,
  reason:
    "the list of installed packages, in whatever order they came in; every field of every stanza is compared, but for priority and section, which the archive's overrides may change, and of removed packages their conffiles may be listed",
  applies: alwaysAt('/var/lib/dpkg/status'),
  equal,
  regenerates,
};

export const dpkgStatusOld: Rule = {
  name: 'dpkg-status-old',
  version: 1,
  reason: 'the list of packages before the last run of dpkg, kept for repairs; nothing reads it while the list itself is there',
  applies: alwaysAt('/var/lib/dpkg/status-old'),
  form: (side) => packages(side) !== undefined,
  followsPackages: true,
};
