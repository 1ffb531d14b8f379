import { alwaysAt, linesOf, type Rule, type Side } from './rule.ts';

const ADDRESS = '(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[a-z0-9]+)?)';
const HOST = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})';
/** hosts(5): a loopback name, the builder's own container, or the engine's name for its host; never a name of the Internet. */
const LOCAL_NAME = `(?:${HOST}|localhost\\.localdomain|host\\.containers\\.internal|host\\.docker\\.internal)`;
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['/etc/hosts', new RegExp(`^(?:|#.*|${ADDRESS}(?:[ \\t]+${LOCAL_NAME})+[ \\t]*)$`)],
  ['/etc/hostname', new RegExp(`^(?:${HOST}(?:\\.${HOST})*)?$`)],
  [
    '/etc/resolv.conf',
    new RegExp(`^(?:|[#;].*|nameserver[ \\t]+${ADDRESS}|(?:search|domain)[ \\t]+[A-Za-z0-9. _-]+|options[ \\t]+[a-z0-9:. -]+)$`),
  ],
  ['/run/.containerenv', /^(?:|[a-z]+=(?:"[^"]*"|[A-Za-z0-9.:-]*))$/],
  ['/.dockerenv', /^$/],
]);
const LINES_MAX = 64;

/** What the engine writes for a running container; a running container gets its own in any case. */
function isBuilderFile(side: Side): boolean {
  const form = FORMS.get(side.facts.path);
  const lines = linesOf(side);
  return form !== undefined && lines !== undefined && lines.length <= LINES_MAX && lines.every((line) => form.test(line));
}

export const builderFiles: Rule = {
  name: 'builder-files',
  version: 1,
  reason:
    'the engine mounts its own hosts, hostname and resolv.conf into the build, and some builders keep them; names of the Internet in hosts are never excused',
  applies: alwaysAt(...FORMS.keys()),
  // buildah leaves empty mount points with mode 0700 or 0755.
  admits: (facts) =>
    facts.kind === 'file' &&
    facts.uid === 0 &&
    facts.gid === 0 &&
    facts.magic === undefined &&
    facts.xattrs === undefined &&
    ((facts.mode & 0o7133) === 0 || (facts.size === 0 && (facts.mode & 0o7022) === 0)),
  equal: (a, b) => isBuilderFile(a) && isBuilderFile(b),
  form: isBuilderFile,
  mayBeAbsent: true,
};
