/** Verdicts made by hand, for tests of what shows them. Names are as hostile as an image can make them. */
import { digestOf } from '../../src/model/digest.ts';
import { textFromBytes } from '../../src/model/path.ts';
import { type AccountLine, type Attribution, ATTRIBUTIONS, type Finding, type Verdict } from '../../src/model/verdict.ts';

export const HOSTILE_NAME = '/usr/lib/<script>alert(1)</script>"\'&';
/** As long as a name may be (NAME_MAX), with an override of the direction of writing in it, and nowhere to break it. */
const LONG_NAME = textFromBytes(Buffer.from(`/usr/lib/caf\u202etxt.exe${'x'.repeat(230)}`));

const counts = (given: Partial<Record<Attribution, number>>): Record<Attribution, number> =>
  Object.fromEntries(ATTRIBUTIONS.map((name) => [name, given[name] ?? 0])) as Record<Attribution, number>;

const replaced: Finding = {
  code: 'packaged-file-replaced',
  severity: 'critical',
  paths: ['/usr/sbin/nginx'],
  message: '/usr/sbin/nginx is not the file that Debian signed in nginx 1.22.1-9+deb12u4.',
  layer: 1,
  line: 4,
  evidence: { package: 'nginx 1.22.1-9+deb12u4', expected: digestOf('signed'), found: digestOf('found') },
  advice: 'Do not run this image. Rebuild it from its source on a machine that you trust and compare.',
};
const named: Finding = {
  code: 'setuid-program',
  severity: 'high',
  paths: [HOSTILE_NAME, LONG_NAME],
  message: `A setuid program ${HOSTILE_NAME} belongs to no package.`,
  evidence: { '<b>owner</b>': 'root', mode: '4755' },
  advice: 'Remove it, or install it from a package.',
};
const secret: Finding = {
  code: 'deleted-secret',
  severity: 'medium',
  paths: ['/root/.netrc'],
  message: 'A later layer deletes /root/.netrc, and the layer below still holds it.',
  layer: 2,
  evidence: {},
  advice: 'Change the secret, and use a secret mount of the builder.',
};

const runs = (kind: SampleKind): NonNullable<Verdict['runs']> => [
  {
    by: 'entry-point',
    command: 'nginx',
    path: '/usr/sbin/nginx',
    digest: digestOf('nginx'),
    package: 'pkg:deb/debian/nginx@1.22.1-9%2Bdeb12u4?arch=amd64',
    version: '1.22.1-9+deb12u4',
    ...(kind === 'backdoored'
      ? { attribution: 'unexplained', statement: 'not the file of nginx 1.22.1-9+deb12u4: its bytes are not those that Debian signed' }
      : { attribution: 'debian-official', statement: 'nginx 1.22.1-9+deb12u4, the bytes that Debian signed' }),
  },
  { by: 'argument', command: HOSTILE_NAME, statement: `${HOSTILE_NAME} is not in the image` },
];

export type SampleKind = 'honest' | 'partly' | 'backdoored' | 'unsourced';

export function sampleVerdict(kind: SampleKind): Verdict {
  const freshness = { judgedAt: '2025-11-24T00:30:00.000Z', rules: '1', policy: 'default@1' };
  const base = { 'debian-official': 6812, 'debian-generated': 214, source: 12, volatile: 9 };
  const bytes = { 'debian-official': 141_000_000, 'debian-generated': 3_900_000, source: 48_000, volatile: 210_000 };
  const executables = { 'debian-official': 941, source: 1 };
  const verdict = (
    more: Pick<Verdict, 'result' | 'auditable' | 'summary' | 'findings'> & { reason?: Verdict['reason'] },
    accounted: number,
    extra: Partial<Record<Attribution, number>> = {},
  ): Verdict => {
    const { reason, ...rest } = more;
    return {
      ...rest,
      ...(reason === undefined ? {} : { reason }),
      coverage: {
        files: counts({ ...base, ...extra }),
        bytes: counts({ ...bytes, ...(extra.unexplained === undefined ? {} : { unexplained: 9_400_000 }) }),
        executables: counts({ ...executables, ...(extra.unexplained === undefined ? {} : { unexplained: 2 }) }),
        accounted,
        ...(more.auditable === 'yes' ? { reproduced: { packages: 1, of: 1, files: 1427, bytes: 2_400_000 } } : {}),
      },
      runs: runs(kind),
      freshness,
    };
  };
  switch (kind) {
    case 'honest':
      return verdict(
        { result: 'equivalent', auditable: 'yes', summary: 'Every file is accounted for, and our rebuild is the same.', findings: [] },
        1,
      );
    case 'partly':
      return verdict(
        { result: 'explained', auditable: 'partly', summary: '31 files rest on our rebuild alone.', findings: [secret] },
        0.9956,
        { rebuilt: 31 },
      );
    case 'backdoored':
      return verdict(
        {
          result: 'suspicious',
          auditable: 'no',
          summary: '/usr/sbin/nginx is not the program that Debian signed.',
          findings: [secret, replaced, named],
        },
        0.9995,
        { unexplained: 3 },
      );
    case 'unsourced':
      return verdict(
        {
          result: 'not-comparable',
          reason: 'no-source',
          auditable: 'partly',
          summary: 'Nobody says what the image was built from; 12 of its files are accounted for by nothing.',
          findings: [],
        },
        0.9983,
        { source: 0, unexplained: 12 },
      );
  }
}

/** The account of a sample: one file for each attribution that it counts, and those named in its findings. */
export function sampleAccount(verdict: Verdict): AccountLine[] {
  const line = (path: string, attribution: Attribution): AccountLine => ({
    path,
    kind: 'file',
    size: 1234,
    digest: digestOf(path),
    layer: attribution === 'unexplained' ? 1 : 0,
    code: path.includes('/lib/') || path.includes('bin/'),
    attribution,
    evidence: attribution === 'debian-official' ? { package: 'pkg:deb/debian/nginx@1.22.1-9?arch=amd64' } : {},
  });
  const bad = verdict.findings.flatMap(({ paths, severity }) => (severity === 'medium' ? [] : paths));
  const rest = ATTRIBUTIONS.filter((name) => verdict.coverage.files[name] > 0 && name !== 'unexplained').flatMap((name) =>
    [1, 2, 3].map((number) => line(`/usr/share/${name}/${number}`, name)),
  );
  return [...bad.map((path) => line(path, 'unexplained')), ...rest];
}
