import { linesOf, type Rule, type Side } from './rule.ts';

/** What a slim image leaves out: read by people, by nothing that runs. */
const DOCUMENTATION = /^\/usr\/share\/(?:doc|doc-base|groff|help|info|linda|lintian|locale|man)\/[^\s"]*$/;
const LINES_MAX = 1000;

export function isDocumentation(path: string): boolean {
  return DOCUMENTATION.test(path);
}

/** dpkg.cfg(5): settings of which none makes dpkg run, trust or overwrite anything. */
function isHarmless(line: string): boolean {
  const text = line.trim();
  if (text === '' || text.startsWith('#') || text === 'force-unsafe-io') return true;
  const [, kind, pattern] = /^path-(exclude|include)(?:\s*=\s*|\s+)"?([^"\s]+)"?$/.exec(text) ?? [];
  return pattern !== undefined && (kind === 'include' || (DOCUMENTATION.test(pattern) && !pattern.includes('/../')));
}

function isFilters(side: Side): boolean {
  const lines = linesOf(side);
  return lines !== undefined && lines.length <= LINES_MAX && lines.every(isHarmless);
}

export const dpkgFilters: Rule = {
  name: 'dpkg-filters',
  version: 1,
  reason:
    'dpkg is told to leave out documentation and translations, and not to wait for the disk; a filter of any other path, or any other setting, is not excused. What is left out is told whatever the filter says',
  applies: (path) => /^\/etc\/dpkg\/dpkg\.cfg\.d\/[A-Za-z0-9_-]+$/.test(path),
  equal: (a, b) => isFilters(a) && isFilters(b),
  // Debian's official images have two such files, under these names.
  known: (side) => /\/docker(?:-apt-speedup)?$/.test(side.facts.path) && isFilters(side),
  form: isFilters,
};
