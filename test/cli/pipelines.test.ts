import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { parse, parseAllDocuments } from 'yaml';
import { makeIdentify } from '../../src/adapters/oidc/oidc.ts';
import { parseIssuers } from '../../src/model/identity.ts';
import { Problem } from '../../src/problem.ts';
import { startServer } from '../support/http.ts';
import { startIssuer } from '../support/issuer.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { SampleKind } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';
import { member, tar } from '../support/tar.ts';
import { eventually } from '../support/verification.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'a-token-of-the-test-1234';
let registry: TestRegistry;
let service: TestService;
let folder: string;
const images: Record<string, string> = {};

/** An image of its own: the same digest would be the same question. */
const push = (name: string) => pushImage(registry.host, name, [tar(member({ name: 'etc/motd' }, Buffer.from(name)))], { tag: '1' });

/** Asks for a verdict as a pipeline will again, and ends it; the same question then has its answer at once. */
async function judged(name: string, kind: SampleKind, source?: object): Promise<void> {
  await push(name);
  const image = `${registry.host}/${name}:1`;
  images[name] = image;
  const { body, status } = await request(service.url)
    .post('/v1/verifications')
    .set('authorization', `Bearer ${TOKEN}`)
    .send({ image, ...source });
  assert.equal(status, 202, JSON.stringify(body));
  await service.conclude(body.id as string, kind);
}

before(async () => {
  registry = await startRegistry();
  service = await startService({ token: TOKEN, insecure: [registry.host] });
  folder = await mkdtemp(join(tmpdir(), 'conforme-ci-'));
  await judged('honest', 'honest');
  await judged('partly', 'partly');
  await judged('backdoored', 'backdoored');
  await judged('unsourced', 'unsourced');
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
  await registry.stop();
});

type Ended = { code: number | null; output: string; outputs: Record<string, string>; summary: string; place: string };
let runs = 0;

/** In a folder and an environment of its own, with the files of a runner. */
async function run(shell: string, args: string[], environment: Record<string, string>): Promise<Ended> {
  const place = join(folder, String((runs += 1)));
  await mkdir(place);
  const files = { GITHUB_OUTPUT: join(place, 'output'), GITHUB_STEP_SUMMARY: join(place, 'summary') };
  for (const file of Object.values(files)) await writeFile(file, '');
  const env = { PATH: process.env['PATH'], HOME: place, ...files, ...environment };
  let output = '';
  const child = spawn(shell, args, { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const told = (await readFile(files.GITHUB_OUTPUT, 'utf8')).split('\n').filter((line) => line !== '');
  const outputs = Object.fromEntries(told.map((line) => line.split('=', 2) as [string, string]));
  return { code, output, outputs, summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'), place };
}

type Action = {
  inputs: Record<string, { required?: boolean; default?: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: string; steps: { id: string; shell: string; run: string; env: Record<string, string> }[] };
};

/** The run step of action.yml, as a runner does it: expressions replaced, the script given to `bash -eo pipefail`. */
async function action(given: Record<string, string>, environment: Record<string, string> = {}): Promise<Ended> {
  const { inputs, outputs, runs } = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as Action;
  const [step, ...others] = runs.steps;
  assert.ok(step !== undefined && others.length === 0 && runs.using === 'composite' && step.shell === 'bash');
  for (const name of Object.keys(given)) assert.ok(name in inputs, name);
  for (const [name, { required }] of Object.entries(inputs)) assert.ok(required !== true || name in given, name);
  const value = (text: string): string =>
    text.replace(/\$\{\{ *inputs\.([a-z-]+) *\}\}/g, (_all, name: string) => {
      assert.ok(name in inputs, `input ${name}`);
      return given[name] ?? inputs[name]?.default ?? '';
    });
  const env = Object.fromEntries(Object.entries(step.env).map(([name, text]) => [name, value(text)]));
  for (const text of [step.run, ...Object.values(env)])
    assert.doesNotMatch(text, /\$\{\{/, 'an expression in a script is run as a command');
  const ended = await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
    GITHUB_ACTION_PATH: ROOT,
    ...env,
    ...environment,
  });
  for (const [name, { value: from }] of Object.entries(outputs)) {
    const [, own] = new RegExp(`^\\$\\{\\{ steps\\.${step.id}\\.outputs\\.([a-z]+) \\}\\}$`).exec(from) ?? [];
    if (own !== undefined && (ended.code ?? 3) < 3) assert.ok(own in ended.outputs, `output ${name}`);
  }
  return ended;
}
const inputs = (name: string, more: Record<string, string> = {}) => ({
  server: service.url,
  image: images[name] ?? name,
  token: TOKEN,
  ...more,
});

describe('the GitHub Action', () => {
  it('fails the job by the threshold, with summary, outputs and SARIF', async () => {
    const cases: [image: string, more: Record<string, string>, code: number, outcome: string][] = [
      ['honest', {}, 0, 'pass'],
      ['partly', {}, 1, 'fail'],
      ['partly', { 'fail-on': 'no,critical' }, 0, 'pass'],
      ['backdoored', { 'fail-on': 'suspicious' }, 1, 'fail'],
      ['unsourced', { 'fail-on': 'different' }, 2, 'unknown'],
      ['unsourced', { 'fail-on': 'different', 'allow-unknown': 'true' }, 0, 'unknown'],
    ];
    for (const [image, more, code, outcome] of cases) {
      const ended = await action(inputs(image, more));
      assert.equal(ended.code, code, `${image} ${JSON.stringify(more)}: ${ended.output}`);
      assert.equal(ended.outputs['outcome'], outcome);
      assert.match(ended.outputs['verdict'] ?? '', /^sha256:[0-9a-f]{64}$/);
      assert.ok(ended.outputs['page']?.startsWith(`${service.url}/verifications/`));
      assert.match(ended.summary, /^## conforme: auditable /);
      const sarif = JSON.parse(await readFile(join(ended.place, 'conforme.sarif'), 'utf8')) as { version: string };
      assert.equal(sarif.version, '2.1.0');
      assert.ok(!ended.output.includes(TOKEN));
    }
  });

  it('sends what it is told of the source', async () => {
    await judged('sourced', 'honest', {
      source: { git: 'https://git.example.org/a "b".git', ref: 'v1', subdir: 'x\\y' },
      dockerfile: 'D',
      target: 't',
      platform: 'linux/amd64',
    });
    const told = {
      git: 'https://git.example.org/a "b".git',
      ref: 'v1',
      subdir: 'x\\y',
      dockerfile: 'D',
      target: 't',
      platform: 'linux/amd64',
    };
    const ended = await action(inputs('sourced', told));
    // The same question: else there would be nothing yet, and it would wait.
    assert.equal(ended.code, 0, ended.output);
  });

  it('waits for what is not there yet, and tells what failed', async () => {
    await push('later');
    const running = action(inputs(`${registry.host}/later:1`));
    const waiting = () =>
      service.deps.records.list(100).then(({ items }) => items.find(({ image }) => image.reference.endsWith('/later:1')));
    const { id } = await eventually(waiting);
    await service.deps.records.fail(id, new Problem('registry-unavailable', 'it answers 503').toDocument());
    const ended = await running;
    assert.deepEqual([ended.code, ended.outputs['outcome'], ended.outputs['verdict']], [3, 'error', ''], ended.output);
    assert.match(ended.summary, /registry-unavailable/);
  });

  it('ends with 3 where it gets no verdict, and obeys nothing that it is told', async () => {
    const cases: [Record<string, string>, RegExp][] = [
      [inputs('honest', { token: 'wrong-token-of-the-test' }), /answers 401.*unauthorized/],
      [inputs('honest', { token: 'a"b' }), /token holds a character/],
      [inputs('honest', { server: 'ftp://x' }), /no http or https address/],
      [inputs('honest', { server: '' }), /no http or https address/],
      [inputs('honest', { 'fail-on': 'everything' }), /answers 400.*failOn/],
      [inputs(`${registry.host}/nothing:1`), /image-not-found/],
      [inputs('x"y $(touch hacked) `touch hacked`'), /answers 400.*invalid-reference/],
      [inputs('one\n::set-output name=outcome::pass'), /control character/],
      [inputs(`${registry.host}/a::stop-commands::x##[error]`), /answers 400/],
    ];
    for (const [given, message] of cases) {
      const ended = await action(given);
      assert.equal(ended.code, 3, ended.output);
      assert.match(ended.output, message);
      assert.equal(ended.summary, '');
      assert.doesNotMatch(ended.output, /^\s*::(?!add-mask)|##\[/m);
      await assert.rejects(readFile(join(ended.place, 'hacked')));
    }
  });
});

describe('a pipeline without a stored secret', () => {
  it('signs in by the identity token of its runner', async () => {
    const issuer = await startIssuer();
    // The runner's own address gives a token to whoever has the request token, for the audience that is asked for.
    const runner = await startServer((incoming, response) => {
      const url = new URL(incoming.url ?? '', 'http://runner');
      const audience = url.searchParams.get('audience') ?? '';
      if (incoming.headers.authorization !== 'Bearer request-token' || url.searchParams.get('api-version') !== '2.0')
        return response.writeHead(401).end();
      void issuer.token({ aud: audience, repository: 'example/shop' }).then((value) => response.end(JSON.stringify({ value })));
      return undefined;
    });
    const issuers = parseIssuers(
      JSON.stringify([{ issuer: issuer.issuer, audience: 'https://conforme.example', claims: { repository: 'example/*' } }]),
    );
    const own = await startService({
      token: TOKEN,
      insecure: [registry.host],
      more: { identify: makeIdentify({ issuers, audience: 'unused', fetch }) },
    });
    try {
      const github = {
        ACTIONS_ID_TOKEN_REQUEST_URL: `http://${runner.host}/token?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
      };
      const given = { server: own.url, image: images['honest'] ?? '', audience: 'https://conforme.example' };
      const running = action(given, github);
      const { id } = await eventually(() => own.deps.records.list(10).then(({ items }) => items[0]));
      await own.conclude(id, 'honest');
      const ended = await running;
      assert.equal(ended.code, 0, ended.output);
      assert.match(ended.output, /^::add-mask::eyJ/m);
      // For another audience, which is what a token is worth nothing for.
      const other = await action({ ...given, audience: 'https://other.example' }, github);
      assert.equal(other.code, 3);
      assert.match(other.output, /answers 401.*claim aud/);
      const none = await action(given, { ...github, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'wrong' });
      assert.match(none.output, /the runner gives no identity token/);
      // GitLab hands it over in a variable.
      const gitlab = {
        CONFORME_SERVER: own.url,
        CONFORME_IMAGE: given.image,
        CONFORME_ID_TOKEN: await issuer.token({ aud: 'https://conforme.example', repository: 'example/shop' }),
      };
      assert.equal((await run('sh', [join(ROOT, 'scripts/ci/verify.sh')], gitlab)).code, 0);
    } finally {
      await own.stop();
      await runner.stop();
      await issuer.stop();
    }
  });
});

describe('the GitLab component', () => {
  type Job = { script: string[]; variables: Record<string, string>; id_tokens: Record<string, { aud: string }>; stage: string };
  const TEMPLATE = join(ROOT, 'templates/verify/template.yml');

  /** Inputs are put into the text behind `---`, as GitLab does before it reads it as YAML. */
  async function job(given: Record<string, string>): Promise<{ name: string; job: Job }> {
    const text = await readFile(TEMPLATE, 'utf8');
    const [header = '', body = ''] = text.split(/^---$/m);
    const { inputs } = (parse(header) as { spec: { inputs: Record<string, { default?: string | boolean } | null> } }).spec;
    for (const name of Object.keys(given)) assert.ok(name in inputs, name);
    const filled = body.replace(/\$\[\[ *inputs\.(\w+) *\]\]/g, (_all, name: string) => {
      assert.ok(name in inputs, `input ${name}`);
      const value = given[name] ?? inputs[name]?.default;
      assert.ok(value !== undefined, `${name} is required`);
      return String(value);
    });
    assert.doesNotMatch(filled, /\$\[\[/);
    const [name, one] = Object.entries(parse(filled) as Record<string, Job>)[0] ?? [];
    assert.ok(name !== undefined && one !== undefined);
    return { name, job: one };
  }

  it('is one job with the script that all pipelines share', async () => {
    assert.equal(parseAllDocuments(await readFile(TEMPLATE, 'utf8')).length, 2);
    const { name, job: one } = await job({ server: 'https://conforme.example', image: 'x', job: 'audit', stage: 'deploy' });
    assert.deepEqual([name, one.stage, one.id_tokens['CONFORME_ID_TOKEN']?.aud], ['audit', 'deploy', 'https://conforme.example']);
    assert.deepEqual(one.script, [await readFile(join(ROOT, 'scripts/ci/verify.sh'), 'utf8')]);
  });

  it('fails by the threshold in each shell that runners have, and leaves its files', async () => {
    for (const shell of ['bash', 'dash', 'busybox'])
      for (const [image, fail_on, code] of [
        ['honest', 'partly', 0],
        ['backdoored', 'no', 1],
      ] as const) {
        const { job: one } = await job({ server: service.url, image: images[image] ?? '', fail_on });
        const args = [...(shell === 'busybox' ? ['sh'] : []), '-c', `set -e\n${one.script.join('\n')}`];
        const ended = await run(shell, args, { ...one.variables, CONFORME_TOKEN: TOKEN });
        assert.equal(ended.code, code, `${shell}: ${ended.output}`);
        assert.match(await readFile(join(ended.place, 'conforme.md'), 'utf8'), /^## conforme/);
        assert.match(await readFile(join(ended.place, 'conforme.sarif'), 'utf8'), /"2\.1\.0"/);
      }
  });
});

describe('the recipe of the README', () => {
  it('does what it says, as it is written', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const recipe = /^```sh\n(verification=[\s\S]*?)^```$/m.exec(readme)?.[1];
    assert.ok(recipe);
    for (const [image, code] of [
      ['honest', 0],
      ['partly', 0],
      ['backdoored', 1],
    ] as const) {
      const environment = { CONFORME_SERVER: service.url, CONFORME_TOKEN: TOKEN, IMAGE: images[image] ?? '' };
      const ended = await run('bash', ['-eo', 'pipefail', '-c', recipe], environment);
      assert.equal(ended.code, code, ended.output);
      assert.match(ended.output, /^## conforme: auditable /m);
    }
  });

  it('names inputs that the action and the component have', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const blocks = [...readme.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => parse(text) as Record<string, unknown>);
    const { inputs } = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as Action;
    const [step] = (blocks.find((block) => 'steps' in block)?.['steps'] ?? []) as { with: Record<string, string> }[];
    for (const name of Object.keys(step?.with ?? { none: '' })) assert.ok(name in inputs, name);
    const template = await readFile(join(ROOT, 'templates/verify/template.yml'), 'utf8');
    const [component] = (blocks.find((block) => 'include' in block)?.['include'] ?? []) as { inputs: Record<string, string> }[];
    for (const name of Object.keys(component?.inputs ?? { none: '' })) assert.match(template, new RegExp(`^    ${name}:$`, 'm'));
  });
});
