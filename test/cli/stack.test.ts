import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Log } from 'sarif';
import request from 'supertest';
import { type Ended, runConforme } from '../support/command-line.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { SampleKind } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';
import { member, tar } from '../support/tar.ts';

const TOKEN = 'a-token-of-the-test-1234';
let registry: TestRegistry;
let service: TestService;
let folder: string;

before(async () => {
  registry = await startRegistry();
  service = await startService({ token: TOKEN, insecure: [registry.host] });
  folder = await mkdtemp(join(tmpdir(), 'conforme-stack-'));
  for (const kind of ['honest', 'partly', 'backdoored', 'unsourced'] satisfies SampleKind[]) {
    await pushImage(registry.host, kind, [tar(member({ name: 'etc/motd' }, Buffer.from(kind)))], { tag: '1' });
    const asked = request(service.url).post('/v1/verifications').set('authorization', `Bearer ${TOKEN}`);
    await service.conclude((await asked.send({ image: `${registry.host}/${kind}:1` })).body.id as string, kind);
  }
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
  await registry.stop();
});

let count = 0;
async function verify(
  text: string,
  args: string[] = [],
  environment: Record<string, string> = {},
  more: Record<string, string> = {},
): Promise<Ended> {
  const place = join(folder, String((count += 1)));
  await mkdir(place);
  for (const [name, content] of Object.entries({ 'file.yaml': text, ...more })) await writeFile(join(place, name), content);
  const env = { HOME: folder, CONFORME_SERVER: service.url, CONFORME_TOKEN: TOKEN, ...environment };
  return runConforme(['verify', '-f', join(place, 'file.yaml'), ...args], env);
}
const compose = (services: Record<string, string>): string =>
  JSON.stringify({
    services: Object.fromEntries(
      Object.entries(services).map(([name, image]) => [name, { image: image.replace('@', `${registry.host}/`) }]),
    ),
  });

describe('conforme verify -f', () => {
  it('asks about every image once, and gives one table and one exit code', async () => {
    const { code, stdout, stderr } = await verify(compose({ web: '@honest:1', proxy: '@honest:1', worker: '@partly:1' }));
    assert.equal(code, 1, stderr);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    assert.match(head ?? '', /^IMAGE +AUDITABLE +RESULT +FINDINGS +USED BY$/);
    assert.deepEqual(
      rows.map((row) => row.replace(`${registry.host}/`, '').split(/ {2,}/)),
      [
        ['honest:1', 'yes', 'equivalent', 'none', 'web, proxy'],
        ['partly:1', 'partly', 'explained', '1 medium', 'worker'],
      ],
    );
    assert.match(stderr, /2 of 2: /);
    const badge = await (await fetch(/badge: (\S+)/.exec(stderr)?.[1] ?? '')).text();
    assert.match(badge, /1 of 2 auditable/);
  });

  it('ends as the worst of them', async () => {
    const cases: [services: Record<string, string>, args: string[], code: number][] = [
      [{ a: '@honest:1' }, [], 0],
      [{ a: '@honest:1', b: '@backdoored:1' }, ['--fail-on', 'no'], 1],
      [{ a: '@honest:1', b: '@partly:1' }, ['--fail-on', 'no'], 0],
      [{ a: '@honest:1', b: '@unsourced:1' }, ['--fail-on', 'different'], 2],
      [{ a: '@honest:1', b: '@unsourced:1' }, ['--fail-on', 'different', '--allow-unknown'], 0],
      [{ a: '@honest:1', b: '@nothing:1' }, [], 3],
      [{ a: '@backdoored:1', b: '@nothing:1' }, [], 1],
    ];
    for (const [services, args, code] of cases) {
      const ended = await verify(compose(services), args);
      assert.equal(ended.code, code, `${JSON.stringify(services)} ${args.join(' ')}\n${ended.stderr}`);
      if (Object.values(services).includes('@nothing:1')) assert.match(ended.stdout, /nothing:1 +no verdict +image-not-found/);
    }
  });

  it('tells what it could not ask about, and does not let it pass', async () => {
    const text = `services: { web: { image: '${registry.host}/honest:1' }, own: { build: . } }`;
    const ended = await verify(text);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /own: it is built here and has no published image/);
    assert.equal((await verify(text, ['--allow-unknown'])).code, 0);
  });

  it('reads a manifest, and writes JSON, summary and SARIF of all', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: ['honest', 'backdoored'].map((name) => ({ name, image: `${registry.host}/${name}:1` })) },
    };
    const [summary, sarif] = [join(folder, 'summary.md'), join(folder, 'all.sarif')];
    const { code, stdout } = await verify(JSON.stringify(pod), ['--json', '--summary', summary, '--sarif', sarif]);
    assert.equal(code, 1);
    const { images } = JSON.parse(stdout) as { images: { usedBy: string[]; verification: { verdict: { auditable: string } } }[] };
    assert.deepEqual(
      images.map(({ usedBy, verification }) => [usedBy[0], verification.verdict.auditable]),
      [
        ['Pod/p honest', 'yes'],
        ['Pod/p backdoored', 'no'],
      ],
    );
    assert.match(await readFile(summary, 'utf8'), /^## conforme: 1 of 2 images pass\n/);
    const { version, runs } = JSON.parse(await readFile(sarif, 'utf8')) as Log;
    const categories = runs.map(({ automationDetails }) => automationDetails?.id);
    assert.deepEqual([version, runs.length, new Set(categories).size], ['2.1.0', 2, 2]);
  });

  it('takes variables from the environment and from .env beside the file, and nothing from nowhere', async () => {
    const text = `services: { web: { image: '${registry.host}/\${NAME}:\${TAG:-1}' } }`;
    const env = { '.env': 'NAME=backdoored\n' };
    assert.equal((await verify(text, [], {}, env)).code, 1);
    assert.equal((await verify(text, [], { NAME: 'honest' }, env)).code, 0);
    const unset = await verify(text);
    assert.deepEqual([unset.code, unset.stdout], [3, '']);
    assert.match(unset.stderr, /file\.yaml: web: .* needs NAME, which is not set/);
  });

  it('takes no option of one image', async () => {
    const one = await verify(compose({ a: '@honest:1' }), ['--git', 'https://git.example/a.git']);
    assert.deepEqual([one.code, one.stdout], [3, '']);
    assert.match(one.stderr, /--git is of one image/);
    assert.equal((await verify(compose({ a: '@honest:1' }), [`${registry.host}/honest:1`])).code, 3);
    assert.match((await verify(compose({ a: '@honest:1' }), [], { CONFORME_TOKEN: 'wrong-token-of-the-test' })).stderr, /unauthorized/);
  });
});
