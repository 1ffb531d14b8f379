/** Every tampering with a small image, what may not be held against anybody, and everything that can go wrong with a source. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import type { VerificationView } from '../../api/schemas.ts';
import type { Difference } from '../../src/model/verdict.ts';
import { hexOf } from '../../src/model/digest.ts';
import { payloadByInToto } from '../support/envelopes.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { eventually } from '../support/verification.ts';
import { HARMLESS, TAMPERINGS } from './tamperings.ts';
import { ended, judged, makeSmallImage, startAsUser, uploadContext, type SmallImage, type Started } from './world.ts';

describe('small images, judged by the service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-small-'));
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let service: Started;
  let image: SmallImage;
  const source = (): { git: string; ref: string } => ({ git: `${git.address}/small/.git`, ref: image.commit });
  const verdictOf = ({ verdict, problem }: VerificationView): NonNullable<VerificationView['verdict']> => {
    assert.ok(verdict !== undefined, JSON.stringify(problem));
    return verdict;
  };
  const differencesOf = async (view: VerificationView): Promise<Difference[]> =>
    ((await (await fetch(`${view.links.differences}?limit=1000`)).json()) as { items: Difference[] }).items;

  before(async () => {
    registry = await startRegistry();
    git = await startGitServer(join(folder, 'repositories'));
    [image, service] = await Promise.all([
      makeSmallImage(registry.host, join(folder, 'repositories')),
      startAsUser(join(folder, 'service'), registry.host, { CONFORME_ATTACH_TO: registry.host }),
    ]);
  });
  after(async () => {
    await service?.stop();
    await git?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('finds nothing wrong with what the publisher built', async () => {
    const view = await judged(service, { image: image.reference('honest'), source: source() });
    const verdict = verdictOf(view);
    assert.ok(['identical', 'layers-identical', 'equivalent'].includes(verdict.result), verdict.summary);
    assert.equal(verdict.auditable, 'yes', JSON.stringify(verdict.findings));
    assert.deepEqual(
      verdict.findings.filter(({ severity }) => severity === 'critical' || severity === 'high'),
      [],
    );
    assert.deepEqual(
      (await differencesOf(view)).filter(({ cause }) => cause !== 'normalised'),
      [],
    );
    assert.equal(verdict.coverage.files.source, 9, 'every file comes from the repository');
  });

  it('signs that in every form, and attaches it to the image', async () => {
    const { image: judgedImage, links } = await judged(service, { image: image.reference('honest'), source: source() });
    const got = async (url: string): Promise<Response> => {
      const answer = await fetch(url);
      assert.equal(answer.status, 200, url);
      return answer;
    };
    const key = await (await got(`${service.url}/v1/keys/cosign.pub`)).text();
    const payload = await payloadByInToto(await (await got(links.envelope ?? '')).text(), key);
    assert.deepEqual(payload, Buffer.from(await (await got(links.verdict ?? '')).bytes()));
    const summary = await payloadByInToto(await (await got(links.vsa ?? '')).text(), key);
    assert.equal(JSON.parse(summary.toString()).predicate.verificationResult, 'PASSED');
    const hex = hexOf(judgedImage.manifestDigest);
    await got(`${service.url}/lookaside/${registry.host}/${image.repository}@sha256=${hex}/signature-1`);
    const attached = `http://${registry.host}/v2/${image.repository}/manifests/sha256-${hex}.att`;
    const accept = { accept: 'application/vnd.oci.image.manifest.v1+json' };
    const manifest = await eventually(async () => {
      const answer = await fetch(attached, { headers: accept });
      return answer.ok && ((await answer.json()) as { layers: object[] });
    });
    assert.equal(manifest.layers.length, 2);
  });

  describe('sees each tampering', () => {
    const posted = new Map<string, string>();
    before(async () => {
      for (const { tag, publish } of TAMPERINGS) {
        await publish(image);
        posted.set(tag, (await service.post({ image: image.reference(tag), source: source() })).id);
      }
    });
    for (const { tag, what, result, findings, difference, published } of TAMPERINGS) {
      it(what, async () => {
        const view = await ended(service, posted.get(tag) ?? '');
        const verdict = verdictOf(view);
        assert.equal(verdict.result, result, verdict.summary);
        for (const [code, path] of findings) {
          const found = verdict.findings.filter((finding) => finding.code === code);
          assert.ok(
            found.some(({ paths }) => paths.includes(path)),
            `${code} for ${path}: ${JSON.stringify(verdict.findings)}`,
          );
        }
        if (difference === undefined) return;
        const [path, aspect] = difference;
        const found = (await differencesOf(view)).find((each) => each.path === path);
        assert.ok(found !== undefined && found.aspects.includes(aspect), `${aspect} of ${path}: ${JSON.stringify(found)}`);
        assert.equal(found.cause, 'unknown');
        for (const [fact, value] of Object.entries(published ?? {}))
          assert.deepEqual((found.published as Record<string, unknown>)[fact], value);
      });
    }
  });

  describe('holds against nobody', () => {
    for (const { tag, what, publish } of HARMLESS) {
      it(what, async () => {
        await publish(image);
        const view = await judged(service, { image: image.reference(tag), source: source() });
        const verdict = verdictOf(view);
        assert.equal(
          verdict.result,
          'equivalent',
          `${verdict.summary} ${JSON.stringify((await differencesOf(view)).filter(({ cause }) => cause !== 'normalised'))}`,
        );
        assert.equal(verdict.auditable, 'yes', JSON.stringify(verdict.findings));
      });
    }
  });

  describe('gives its own reason to each rebuild that cannot be', () => {
    const cases: [what: string, dockerfile: string | undefined, reason: string, line: number | undefined, summary: RegExp][] = [
      ['no Dockerfile', undefined, 'source-mismatch', undefined, /no Dockerfile/],
      ['one that does not parse', 'FROM scratch\nCOPPY a /a\n', 'build-failed', 2, /COPPY/],
      ['a step that fails', 'FROM scratch\nCOPY nothing-there /x\n', 'build-failed', 2, /./],
      ['a secret', 'FROM scratch\nRUN --mount=type=secret,id=key cat /run/secrets/key\n', 'secret-required', 2, /secret/],
      ['a language that nobody knows', '# syntax=example/other:1\nFROM scratch\nCOPY x /x\n', 'unsupported', 1, /frontend/],
      ['a base that nobody has', 'FROM REGISTRY/no/such:image\n', 'input-gone', undefined, /no\/such/],
      ['a base at a private address', 'FROM 10.1.2.3:5000/base\n', 'policy-blocked', undefined, /10\.1\.2\.3/],
    ];
    for (const [what, dockerfile, reason, line, summary] of cases) {
      it(what, async () => {
        const files =
          dockerfile === undefined
            ? { other: { content: 'x' } }
            : { Dockerfile: { content: dockerfile.replace('REGISTRY', registry.host) } };
        const context = await uploadContext(service, files);
        const verdict = verdictOf(await judged(service, { image: image.reference('honest'), source: { context } }));
        assert.equal(verdict.result, 'not-comparable');
        assert.equal(verdict.reason, reason, verdict.summary);
        assert.match(verdict.summary, summary);
        assert.notEqual(verdict.auditable, 'yes');
        if (line !== undefined)
          assert.ok(
            verdict.findings.some((finding) => finding.line === line),
            JSON.stringify(verdict.findings),
          );
      });
    }

    it('a commit that the repository does not have', async () => {
      const verdict = verdictOf(
        await judged(service, { image: image.reference('honest'), source: { ...source(), ref: 'no-such-branch' } }),
      );
      assert.equal(verdict.reason, 'input-gone');
    });
  });

  it('answers on the command line with an exit code', async () => {
    const conforme = async (...args: string[]): Promise<{ code: number; out: string }> => {
      const child = spawn(join(import.meta.dirname, '../../scripts/conforme'), args, {
        env: { ...process.env, CONFORME_SERVER: service.url, CONFORME_TOKEN: service.token },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>]);
      return { code, out };
    };
    const { git: url, ref } = source();
    const honest = await conforme('verify', image.reference('honest'), '--git', url, '--ref', ref, '--json');
    assert.equal(honest.code, 0);
    assert.equal((JSON.parse(honest.out) as VerificationView).verdict?.auditable, 'yes');
    const fromFolder = await conforme('verify', image.reference('honest'), '--context', join(image.folder, 'small'));
    assert.deepEqual([fromFolder.code, /equivalent/.test(fromFolder.out)], [0, true], fromFolder.out);
    const setuid = await conforme('verify', image.reference('setuid'), '--git', url, '--ref', ref);
    assert.deepEqual([setuid.code, /setuid-unexpected/.test(setuid.out)], [1, true], setuid.out);
    assert.equal((await conforme('verify', image.reference('honest'))).code, 2, 'nothing speaks for an image without source and packages');
    assert.equal((await conforme('verify', `${registry.host}/no/such:image`)).code, 3);
  });

  it('fails as a job, without a verdict, where the address is refused', async () => {
    const view = await judged(service, { image: image.reference('honest'), source: { git: 'http://10.1.2.3/x.git' } });
    assert.equal(view.status, 'failed');
    assert.equal(view.problem?.code, 'address-refused');
    assert.equal(view.verdict, undefined);
  });

  it('answers bad requests with what and where', async () => {
    const cases: [body: unknown, status: number, code: string][] = [
      [{}, 400, 'invalid-request'],
      [{ image: 'example.org/UPPER' }, 400, 'invalid-reference'],
      [{ image: `${registry.host}/no/such:image` }, 404, 'image-not-found'],
      [{ image: '10.1.2.3:5000/x' }, 403, 'address-refused'],
      [{ image: image.reference('honest'), source: { context: `sha256:${'0'.repeat(64)}` } }, 404, 'context-missing'],
      [{ image: image.reference('honest'), source: { git: 'file:///etc' } }, 400, 'invalid-source'],
      [{ image: image.reference('honest'), platform: 'linux/s390x' }, 404, 'platform-not-found'],
    ];
    for (const [body, status, code] of cases) {
      const answer = await fetch(`${service.url}/v1/verifications`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${service.token}` },
        body: JSON.stringify(body),
      });
      assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [status, code], JSON.stringify(body));
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    }
    const open = await fetch(`${service.url}/v1/verifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(open.status, 401);
  });
});
