/** The five images of the demonstration through the whole service, and everything a user does with a verdict. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { Webhook } from 'standardwebhooks';
import type { VerificationView } from '../../api/schemas.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { AccountLine, Difference } from '../../src/model/verdict.ts';
import { unexpectedIn } from '../../scripts/demo/expected.ts';
import { DEMO_NAMES, makeDemoWorld, type DemoName, type DemoWorld } from '../../scripts/demo/images.ts';
import { spdxFaults } from '../support/spdx.ts';
import { CACHE, ended, startAsUser, type Started } from './world.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

type Hook = { headers: Record<string, string>; body: string };

describe('the demo images, judged by the service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-demo-'));
  const hooks: Hook[] = [];
  const views = new Map<DemoName, VerificationView>();
  let world: DemoWorld;
  let service: Started;
  let receiver: Server;

  const source = (): { git: string; ref: string } => ({ git: world.git, ref: 'v1' });
  const bodyOf = (name: DemoName): Parameters<Started['post']>[0] => ({
    image: world.reference(name),
    ...(name === 'without-source' ? {} : { source: source() }),
    webhook: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${name}` },
  });
  const viewOf = (name: DemoName): VerificationView => {
    const view = views.get(name);
    assert.ok(view?.verdict !== undefined, `${name} has no verdict: ${JSON.stringify(view?.problem)}`);
    return view;
  };

  before(async () => {
    world = await makeDemoWorld({ cache: CACHE, scratch: folder, onLine: () => undefined });
    service = await startAsUser(join(folder, 'service'), world.registry);
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        hooks.push({ headers: request.headers as Record<string, string>, body });
        response.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const posted = new Map<DemoName, string>();
    for (const name of DEMO_NAMES) posted.set(name, (await service.post(bodyOf(name))).id);
    // A rebuild worker that is killed in the middle of a build: nothing above may notice.
    let killed = 0;
    const kill = (view: VerificationView): void => {
      if (killed > 0 || view.step !== 'rebuild') return;
      killed = rebuildWorker(service.child.pid ?? 0);
      if (killed > 0) process.kill(killed, 'SIGKILL');
    };
    for (const [name, id] of posted) views.set(name, await ended(service, id, kill));
    assert.ok(killed > 0, 'a worker was killed while it built');
  });
  after(async () => {
    await service?.stop();
    receiver?.close();
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const name of DEMO_NAMES) {
    it(`judges the ${name} image as expected`, () => {
      const view = views.get(name);
      assert.ok(view !== undefined);
      assert.deepEqual(unexpectedIn(name, view), [], JSON.stringify(view.verdict?.findings));
    });
  }

  it('names for a replaced program the package, the hash that Debian signed and the one found', () => {
    const finding = viewOf('backdoored').verdict?.findings.find(
      ({ code, paths }) => code === 'packaged-file-replaced' && paths.includes('/usr/sbin/nginx'),
    );
    assert.match(finding?.evidence['package'] ?? '', /^pkg:deb\/debian\/nginx@/);
    const { expected, found } = finding?.evidence ?? {};
    assert.ok(expected?.startsWith('sha256:') && found?.startsWith('sha256:') && expected !== found, JSON.stringify(finding?.evidence));
  });

  it('says in one line which nginx each runs, and whether it is Debian’s', () => {
    for (const name of DEMO_NAMES) {
      const program = viewOf(name).verdict?.runs?.[0];
      assert.deepEqual([program?.command, program?.path], ['nginx', '/usr/sbin/nginx'], name);
      const debians = /^nginx \d+\.\d+\.\d+-\S+, the bytes that Debian signed$/;
      const replaced = /^not the file of nginx \S+: its bytes are not those that Debian signed; its bytes say nginx \d/;
      assert.match(program?.statement ?? '', name === 'backdoored' ? replaced : debians, name);
    }
  });

  it('has bills of materials that other tools accept, with every package and how it was verified', async () => {
    for (const name of ['honest', 'backdoored'] as const) {
      const { links } = viewOf(name);
      const cyclonedx = await (await fetch(links.cyclonedx ?? '')).text();
      const spdx = await (await fetch(links.spdx ?? '')).text();
      assert.equal(await new JsonStrictValidator(Version.v1dot6).validate(cyclonedx), null, name);
      assert.deepEqual(await spdxFaults(spdx), [], name);
      const { components } = JSON.parse(cyclonedx) as {
        components: { type: string; name: string; properties: { name: string; value: string }[] }[];
      };
      const nginx = components.find((one) => one.type === 'library' && one.name === 'nginx');
      const changed = nginx?.properties.find((one) => one.name === 'conforme:files-changed')?.value;
      assert.equal(changed, name === 'backdoored' ? '1' : '0', name);
      assert.ok(components.length > 80, `${components.length} components`);
      assert.deepEqual(
        components.filter(({ properties }) => properties.some((one) => one.name === 'conforme:bundled-path')),
        [],
        'nothing of Debian’s is taken for a copy',
      );
    }
  });

  it('accounts for every file exactly once, with and without a source', async () => {
    for (const name of ['honest', 'without-source'] as const) {
      const view = viewOf(name);
      const paths = new Set<string>();
      const counted = new Map<string, number>();
      for (let cursor: string | undefined, more = true; more;) {
        const answer = await fetch(`${view.links.files}?limit=1000${cursor === undefined ? '' : `&cursor=${cursor}`}`);
        const page = (await answer.json()) as { items: AccountLine[]; next?: string };
        for (const { path, attribution } of page.items) {
          assert.ok(!paths.has(path), path);
          paths.add(path);
          counted.set(attribution, (counted.get(attribution) ?? 0) + 1);
        }
        cursor = page.next;
        more = cursor !== undefined;
      }
      const told = Object.entries(view.verdict?.coverage.files ?? {}).filter(([, count]) => count > 0);
      assert.deepEqual(Object.fromEntries(counted), Object.fromEntries(told), name);
      assert.ok(paths.size > 2000 && paths.has('/usr/sbin/nginx') && paths.has('/etc/passwd'), `${paths.size} paths`);
    }
  });

  it('traces drifted files to the commit that has them', async () => {
    const { items } = (await (await fetch(`${viewOf('drifted').links.differences}?limit=1000`)).json()) as { items: Difference[] };
    const page = items.find(({ path }) => path === '/var/www/html/index.html');
    assert.equal(page?.cause, 'source-drift');
    assert.ok(page.detail?.includes(world.source.later.slice(0, 7)), JSON.stringify(page));
  });

  it('signs what gpg verifies, and nothing else', async () => {
    const home = mkdtempSync(join(folder, 'gnupg-'));
    const gpg = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
      run('gpg', ['--homedir', home, '--batch', '--quiet', '--no-autostart', ...args]);
    writeFileSync(join(home, 'key.asc'), await (await fetch(`${service.url}/v1/keys`)).text());
    await gpg('--import', join(home, 'key.asc'));
    for (const name of DEMO_NAMES) {
      const { links, verdictDigest, image } = viewOf(name);
      const answer = await fetch(links.verdict ?? '');
      assert.equal(answer.headers.get('content-type'), 'application/vnd.in-toto+json');
      const statement = Buffer.from(await answer.arrayBuffer());
      assert.equal(digestOf(statement), verdictDigest);
      const { subject } = JSON.parse(statement.toString()) as { subject: { digest: { sha256: string } }[] };
      assert.ok(subject.some(({ digest }) => `sha256:${digest.sha256}` === image.manifestDigest));
      writeFileSync(join(home, 'statement'), statement);
      writeFileSync(join(home, 'signature'), await (await fetch(links.signature ?? '')).text());
      await gpg('--verify', join(home, 'signature'), join(home, 'statement'));
      writeFileSync(join(home, 'statement'), Buffer.concat([statement, Buffer.from('\n')]));
      await assert.rejects(gpg('--verify', join(home, 'signature'), join(home, 'statement')), /BAD signature/);
    }
  });

  it('judges stored inputs again to the same bytes', async () => {
    for (const name of ['honest', 'backdoored', 'without-source'] as const) {
      const { stdout } = await run(join(ROOT, 'scripts/recompute'), [viewOf(name).verdictDigest ?? '', '--data-dir', service.dataDir]);
      assert.match(stdout, /the same \d+ bytes/);
    }
  });

  it('draws badges that say what was found, and grey for what nobody asked about', async () => {
    const badge = async (name: string): Promise<{ message: string; color: string }> =>
      (await (await fetch(`${service.url}/badge/${world.registry}/${world.repository}:${name}.json`)).json()) as {
        message: string;
        color: string;
      };
    const [honest, backdoored, unknown] = await Promise.all(['honest', 'backdoored', 'never-asked'].map(badge));
    assert.notEqual(honest?.color, backdoored?.color);
    assert.notEqual(honest?.message, unknown?.message);
    assert.match(unknown?.color ?? '', /grey|gray/);
    const svg = await fetch(viewOf('honest').links.badge);
    assert.match(svg.headers.get('content-type') ?? '', /^image\/svg\+xml/);
    assert.match(await svg.text(), /^<svg /);
    const again = await fetch(viewOf('honest').links.badge, { headers: { 'if-none-match': svg.headers.get('etag') ?? '' } });
    assert.equal(again.status, 304);
  });

  it('tells the webhook, signed', async () => {
    const webhook = new Webhook(readFileSync(join(service.dataDir, 'webhook-secret'), 'utf8').trim());
    assert.equal(hooks.length, DEMO_NAMES.length, 'one for each verdict, also after a worker was killed');
    for (const { headers, body } of hooks) webhook.verify(body, headers);
    const { data } = JSON.parse(hooks.find(({ body }) => body.includes(viewOf('honest').id))?.body ?? '{}') as {
      data?: { result?: string };
    };
    assert.equal(data?.result, viewOf('honest').verdict?.result);
    const listed = (await (await fetch(viewOf('honest').links.deliveries)).json()) as { items: { status: string }[] };
    assert.deepEqual(
      listed.items.map(({ status }) => status),
      ['delivered'],
    );
  });

  it('shows a page for each, with everything from the image escaped', async () => {
    for (const name of DEMO_NAMES) {
      const answer = await fetch(viewOf(name).links.page);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'|default-src 'self'/);
      const html = await answer.text();
      assert.ok(html.includes(viewOf(name).image.manifestDigest) && html.includes(`${world.repository}:${name}`));
      assert.ok(!/<script(?![^>]*\bsrc=)/.test(html), 'no script in the page itself');
    }
    assert.ok((await (await fetch(viewOf('backdoored').links.page)).text()).includes('/usr/sbin/nginx'));
  });

  it('gives one job for the same question, and keeps an idempotency key', async () => {
    assert.equal((await service.post(bodyOf('honest'))).id, viewOf('honest').id);
    const ask = (body: unknown): Promise<Response> =>
      fetch(`${service.url}/v1/verifications`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${service.token}`, 'idempotency-key': 'once' },
        body: JSON.stringify(body),
      });
    const first = (await (await ask(bodyOf('honest'))).json()) as { id: string };
    assert.equal(((await (await ask(bodyOf('honest'))).json()) as { id: string }).id, first.id);
    assert.equal((await ask(bodyOf('stuffed'))).status, 422);
  });

  it('knows which images hold a package', async () => {
    const { items } = (await (await fetch(`${service.url}/v1/images?package=nginx`)).json()) as { items: { verification: string }[] };
    assert.ok(items.some(({ verification }) => verification === viewOf('honest').id));
  });
});

/** The process id of the service's rebuild worker; 0 where there is none. */
function rebuildWorker(service: number): number {
  const children = readFileSync(`/proc/${service}/task/${service}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('workers/main.ts')) ?? 0;
}
