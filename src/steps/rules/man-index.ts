import { isPlain, type Rule, type Side } from './rule.ts';

/** Where the packages make the same index: the time in it is all that can differ, and its bytes are not kept. */
function hasSameSize(published: Side, other: Side | undefined): boolean {
  return other?.facts.kind === 'file' && published.facts.size === other.facts.size;
}

export const manIndex: Rule = {
  name: 'man-index',
  version: 1,
  reason:
    'man-db notes the time at which it made its index of manual pages; place, size and owner are compared, and nothing but man(1) reads it',
  applies: (path) => /^\/var\/cache\/man\/(?:[A-Za-z_.@-]+\/)?index\.db$/.test(path),
  admits: (facts) => isPlain(facts) && facts.mode === 0o644,
  equal: hasSameSize,
  form: (side, { neighbour }) => hasSameSize(side, neighbour('other', side.facts.path)),
  formOnly: () => true,
};
