/**
 * Honest images of Debian packages are accounted for to the last file with no source and no rebuild; and whatever single thing
 * is changed in one of them is seen for what it is.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { VerificationView } from '../../api/schemas.ts';
import { makePublisher, type Publisher } from '../../scripts/demo/publisher.ts';
import { pushParts } from '../../scripts/demo/registry-image.ts';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import { SEVERITIES, type Finding } from '../../src/model/verdict.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { DEBIAN_SETS, publishSet, TABLE } from './debian-sets.ts';
import { DEBIAN_TAMPERINGS } from './debian-tamperings.ts';
import { openImage } from './open-image.ts';
import { CACHE, ended, startAsUser, type Started } from './world.ts';

/** What an honest image may be told: keys that every container shares are worth it whoever made them. */
const HONEST: ReadonlySet<string> = new Set<FindingCode>(['host-key', 'machine-id']);

describe('images of Debian packages, without a source', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-debian-'));
  const posted = new Map<string, string>();
  const honest = new Map<string, readonly Finding[]>();
  let registry: TestRegistry;
  let publisher: Publisher;
  let service: Started;

  const verdictOf = ({ verdict, problem }: VerificationView): NonNullable<VerificationView['verdict']> => {
    assert.ok(verdict !== undefined, JSON.stringify(problem));
    return verdict;
  };

  before(async () => {
    registry = await startRegistry();
    publisher = await makePublisher(folder, () => undefined);
    service = await startAsUser(join(folder, 'service'), registry.host);
    // Each is judged while the next one is built.
    for (const set of DEBIAN_SETS) {
      const reference = await publishSet(set, {
        registry: registry.host,
        cache: CACHE,
        scratch: folder,
        publisher,
        onLine: () => undefined,
      });
      posted.set(set.name, (await service.post({ image: reference })).id);
    }
  });
  after(async () => {
    await publisher?.close();
    await service?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('an honest one is accounted for to the last file', () => {
    for (const { name } of DEBIAN_SETS) {
      it(name, async () => {
        const { coverage, findings, auditable, reason } = verdictOf(await ended(service, posted.get(name) ?? ''));
        honest.set(name, findings);
        assert.equal(reason, 'no-source');
        assert.deepEqual(
          findings.filter(({ code, severity }) => severity !== 'info' && !HONEST.has(code)),
          [],
        );
        assert.equal(coverage.files.unexplained, 0, JSON.stringify(findings));
        assert.equal(coverage.accounted, 1);
        assert.equal(auditable, 'yes');
      });
    }
  });

  describe('one thing changed is seen', () => {
    before(async () => {
      const repositories = [...new Set(DEBIAN_TAMPERINGS.map(({ of = TABLE }) => of))];
      for (const name of repositories) {
        const repository = `debian/${name}`;
        const image = await openImage(registry.host, repository, 'honest', (tag, parts) =>
          pushParts(registry.host, repository, tag, parts),
        );
        for (const { tag, of = TABLE, publish } of DEBIAN_TAMPERINGS) {
          if (of !== name) continue;
          await publish(image, tag);
          posted.set(tag, (await service.post({ image: `${registry.host}/${repository}:${tag}` })).id);
        }
      }
    });
    it('an edited conffile with what was changed', async () => {
      const { findings } = verdictOf(await ended(service, posted.get('conffile') ?? ''));
      const edited = findings.find(({ code }) => code === 'conffile-edited');
      assert.match(edited?.evidence['diff'] ?? '', /^@@ -\d+,\d+ \+\d+,\d+ @@\n .*\n\+load_module \/tmp\/x\.so;$/);
    });
    for (const { tag, of = TABLE, findings } of DEBIAN_TAMPERINGS) {
      it(tag, async () => {
        const verdict = verdictOf(await ended(service, posted.get(tag) ?? ''));
        for (const [code, path, severity] of findings) {
          const names = (finding: Finding): boolean =>
            finding.code === code && finding.paths.some((one) => (typeof path === 'string' ? one === path : path.test(one)));
          const seen = verdict.findings.filter(names);
          assert.ok(seen.length > 0, `${code} for ${String(path)}: ${JSON.stringify(verdict.findings)}`);
          const gravest = Math.min(...seen.map((finding) => SEVERITIES.indexOf(finding.severity)));
          assert.ok(gravest <= SEVERITIES.indexOf(severity), JSON.stringify(seen));
          assert.ok(!honest.get(of)?.some(names), 'the honest image has no such finding');
        }
        if (verdict.findings.some(({ severity }) => severity === 'critical')) assert.equal(verdict.auditable, 'no');
      });
    }
  });
});
