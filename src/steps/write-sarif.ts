import { FINDINGS, type FindingCode } from '../model/finding-codes.ts';
import { type Digest, digestOf, hexOf } from '../model/digest.ts';
import { splitReference } from '../model/purl.ts';
import type { Statement, VerdictPredicate } from '../model/statement.ts';
import { type Finding, SEVERITIES, type Severity } from '../model/verdict.ts';

export const SARIF_MEDIA_TYPE = 'application/sarif+json';
/** Of schemastore, which is what readers of SARIF know; the OASIS text itself has it under several addresses. */
const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

const LEVELS: Record<Severity, 'error' | 'warning' | 'note'> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};
/** The ranges of GitHub: above 9 critical, from 7 high, from 4 medium, from 0.1 low; without a score it is no matter of security. */
const SCORES: Record<Severity, string | undefined> = { critical: '9.5', high: '8.0', medium: '5.5', low: '2.0', info: undefined };

/**
 * The findings of a verdict as SARIF 2.1.0, for code scanning. A finding with a line is at that line of the Dockerfile in the repository. One
 * without is at its beginning, with the paths in the image as logical locations: GitHub shows nothing without a file and a line. Where
 * nobody knows a Dockerfile the file is that of the image. The same verdict gives the same bytes.
 */
export function writeSarif(verdict: Digest, { predicate }: Pick<Statement, 'predicate'>): string {
  const { image, source } = predicate;
  const { findings, result, auditable, freshness } = predicate.verdict;
  const { os, architecture, variant } = image.platform;
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const counted = counter();
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'conforme', version: `rules ${freshness.rules}`, rules: codes.map((code) => ruleOf(code, findings)) },
        },
        // All of it up to the last slash is the category: each image and platform of a repository keeps alerts of its own.
        automationDetails: {
          id: `conforme/${splitReference(image.reference).repository}/${[os, architecture, variant].filter(Boolean).join('/')}/`,
        },
        ...(source?.location.kind === 'git' && /^https?:/.test(source.location.url)
          ? { versionControlProvenance: [{ repositoryUri: source.location.url, revisionId: source.location.commit }] }
          : {}),
        originalUriBaseIds: {
          SOURCE: { description: { text: 'Root of the repository, or of the build context' } },
          IMAGE: { description: { text: "Root of the image's file system" } },
        },
        columnKind: 'unicodeCodePoints',
        results: findings.map((finding) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: LEVELS[finding.severity],
          message: { text: plain(finding.message) },
          locations: [locationOf(finding, predicate)],
          partialFingerprints: { primaryLocationLineHash: counted(fingerprintOf(finding)) },
          properties: {
            severity: finding.severity,
            advice: finding.advice,
            evidence: finding.evidence,
            ...(finding.layer === undefined ? {} : { layer: finding.layer }),
          },
        })),
        properties: { image: image.reference, digest: image.manifestDigest, verdict, result, auditable },
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** A code of a verdict from other rules than these has nothing but its name. */
function ruleOf(code: string, findings: readonly Finding[]) {
  const known = Object.hasOwn(FINDINGS, code) ? FINDINGS[code as FindingCode] : undefined;
  const title = known?.title ?? code;
  const advice = known?.advice ?? findings.find((finding) => finding.code === code)?.advice ?? title;
  // GitHub takes the severity of an alert from its rule, and a finding may be less severe than its code: the worst that is here.
  const worst = SEVERITIES.find((severity) => findings.some((finding) => finding.code === code && finding.severity === severity)) ?? 'info';
  return {
    id: code,
    shortDescription: { text: plain(title) },
    fullDescription: { text: plain(title) },
    help: { text: plain(`${title}. ${advice}`) },
    defaultConfiguration: { level: LEVELS[known?.severity ?? worst] },
    properties: {
      tags: SCORES[worst] === undefined ? ['container'] : ['container', 'security'],
      precision: 'very-high',
      ...(SCORES[worst] === undefined ? {} : { 'security-severity': SCORES[worst] }),
    },
  };
}

function locationOf({ paths, line }: Finding, { source, buildPlan, image }: VerdictPredicate) {
  const subdir = source?.location.kind === 'git' ? (source.location.subdir ?? '') : '';
  const file = buildPlan === undefined ? undefined : `${subdir}/${buildPlan.dockerfile}`;
  const [first = '/'] = paths;
  const artifact = file === undefined ? { uri: uriOf(first), uriBaseId: 'IMAGE' } : { uri: uriOf(file), uriBaseId: 'SOURCE' };
  return {
    physicalLocation: {
      artifactLocation: artifact.uri === '' ? { ...artifact, uri: uriOf(splitReference(image.reference).repository) } : artifact,
      region: { startLine: file === undefined ? 1 : (line ?? 1) },
    },
    ...(paths.length === 0 ? {} : { logicalLocations: paths.map((path) => ({ fullyQualifiedName: path, kind: 'resource' })) }),
  };
}

/** Relative and without dots, each part escaped: RFC 3986, section 4.2. */
function uriOf(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join('/');
}

/** What the finding is about, without what changes from one build to the next: versions, digests, dates. */
function fingerprintOf({ code, paths, evidence }: Finding): string {
  const about = evidence['source'] ?? evidence['package'] ?? evidence['packages'] ?? '';
  return hexOf(digestOf(JSON.stringify([code, paths, about.split(' ', 1)[0]]))).slice(0, 16);
}

/** `hash:1`, and `hash:2` for the next of the same: the form that code scanning gives them itself. */
function counter(): (hash: string) => string {
  const seen = new Map<string, number>();
  return (hash) => {
    const number = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, number);
    return `${hash}:${number}`;
  };
}

/** SARIF, sections 3.11.5 and 3.11.6: braces are doubled, and brackets escaped, which make a link otherwise. Names come from the image. */
function plain(text: string): string {
  return text.replace(/[\\[\]]/g, '\\$&').replace(/[{}]/g, '$&$&');
}
