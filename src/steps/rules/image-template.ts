import type { FileFacts } from '../../model/inventory.ts';
import { alwaysAt, isPlain, linesOf, type Rule, type Side } from './rule.ts';

// Every published template is under 2 kB; comments are free, so this bounds what may hide in them.
const SIZE_MAX = 4096; // bytes
const POLICY = '/usr/sbin/policy-rc.d';
/** apt.conf(5), debuerreotype-minimizing-config: what is left of each file without its comments, to the letter. */
const CLEAN = '"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true";';
const STATEMENTS: ReadonlyMap<string, readonly string[]> = new Map([
  [POLICY, ['#!/bin/sh', 'exit 101']],
  ['/etc/apt/apt.conf.d/docker-autoremove-suggests', ['Apt::AutoRemove::SuggestsImportant "false";']],
  [
    '/etc/apt/apt.conf.d/docker-clean',
    [
      `DPkg::Post-Invoke { ${CLEAN} };`,
      `APT::Update::Post-Invoke { ${CLEAN} };`,
      'Dir::Cache::pkgcache "";',
      'Dir::Cache::srcpkgcache "";',
    ],
  ],
  ['/etc/apt/apt.conf.d/docker-gzip-indexes', ['Acquire::GzipIndexes "true";']],
  ['/etc/apt/apt.conf.d/docker-no-languages', ['Acquire::Languages "none";']],
]);

/** A comment of the whole line. apt reads `#clear` and `#include` as statements, so a comment begins with `# ` or `//`. */
const COMMENT = /^\s*(?:#(?: .*)?|\/\/.*)?$/;

function isTemplate(side: Side): boolean {
  const expected = STATEMENTS.get(side.facts.path);
  const lines = side.facts.size <= SIZE_MAX ? linesOf(side) : undefined;
  if (expected === undefined || lines === undefined) return false;
  const isScript = side.facts.path === POLICY;
  const statements = lines.filter((line) => !(isScript ? /^(?:# .*|#|)$/ : COMMENT).test(line)).map((line) => line.trim());
  return statements.length === expected.length && statements.every((line, index) => line === expected[index]);
}

function isPolicy({ magic, ...facts }: FileFacts): boolean {
  return magic === 'script' && facts.mode === 0o755 && isPlain({ ...facts, mode: 0o644 });
}

export const imageTemplate: Rule = {
  name: 'image-template',
  version: 1,
  reason:
    "what the maker of Debian's official images (debuerreotype) writes into each of them: no services during a build, no caches, no translations; every statement is compared to the letter, comments are not",
  applies: alwaysAt(...STATEMENTS.keys()),
  // The one program among them: whatever its comments say, it ends with 101.
  admits: (facts) => facts.uid === 0 && facts.gid === 0 && (facts.path === POLICY ? isPolicy(facts) : isPlain(facts)),
  known: isTemplate,
};
