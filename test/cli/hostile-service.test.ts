import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { showProgress } from '../../api/progress-line.ts';
import { sampleJob } from '../support/sample.ts';
import { runConforme } from '../support/command-line.ts';
import { startServer, type TestServer } from '../support/http.ts';
import { startService, type TestService } from '../support/service.ts';

/** Clears the screen, colours by a C1 control, reorders, sets the title, and begins a command of a runner on a line of its own. */
const HOSTILE = '\u001b[2J\u009b31m\u202e\u001b]0;title\u0007\r\n::set-output name=x::y';
let service: TestService;
let server: TestServer;
let folder: string;

/** Where words, numbers and addresses belong; an answer with something else there is refused. */
const FORMED = ['status', 'step', 'auditable', 'result', 'reason', 'severity', 'links', 'href', 'unexplained', 'line'];
let everywhere = false;

/** Every text of an answer with what a terminal would obey behind it. */
function poisoned(value: unknown, name = ''): unknown {
  if (['digest', 'verdictDigest', 'id', 'status'].includes(name) || (!everywhere && FORMED.includes(name))) return value;
  if (typeof value === 'string') return `${value}${HOSTILE}`;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, name));
  if (value === null || typeof value !== 'object') return everywhere ? HOSTILE : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poisoned(item, key)]));
}

before(async () => {
  service = await startService();
  folder = await mkdtemp(join(tmpdir(), 'conforme-hostile-'));
  const { id } = await service.judged('backdoored', 'registry.example.org/shop:1');
  await service.deps.records.accept(sampleJob('other', 'registry.example.org/waiting:1'), 'other');
  server = await startServer((incoming, response) => {
    const path =
      incoming.method === 'POST' || incoming.url?.endsWith('/events') === true
        ? `/v1/verifications/${id}`
        : incoming.url?.replace(/\/x$/, `/${id}`);
    void fetch(`${service.url}${path}`).then(async (answer) => {
      const body = poisoned(await answer.json().catch(() => ({ code: 'not-found', title: 'none', status: 404 })));
      if (incoming.url?.endsWith('/events') !== true)
        return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.end(event('step', { step: HOSTILE }) + event('log', { line: HOSTILE }) + event('verification', body));
    });
  });
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await server.stop();
  await service.stop();
});

/** Nothing that a terminal would obey, and no line that a runner would; a carriage return and colours of our own are all there may be. */
function assertHarmless(text: string, what: string): void {
  const own = text.replaceAll('\r\n', '\n').replace(/\u001b\[(?:[0-9;]*m|2K)|\r(?=\u001b\[2K)/g, '');
  assert.doesNotMatch(own, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/, what);
  assert.doesNotMatch(text, /^\s*::/m, what);
}

describe('a hostile service', () => {
  const COMMANDS: string[][] = [
    ['verify', 'registry.example.org/shop:1'],
    ['verify', 'registry.example.org/shop:1', '--json'],
    ['verify', 'registry.example.org/shop:1', '--no-wait'],
    ['status', 'x'],
    ['report', 'x'],
    ['report', 'x', '--format', 'json'],
    ['status', 'registry.example.org/none:1'],
    ['keys'],
  ];
  for (const args of COMMANDS)
    it(`does nothing to a terminal: conforme ${args.join(' ')}`, async () => {
      const { stdout, stderr } = await runConforme(args, { HOME: folder, CONFORME_SERVER: `http://${server.host}`, FORCE_COLOR: '1' });
      assert.ok(stdout !== '' || stderr !== '');
      assertHarmless(stdout, 'standard output');
      assertHarmless(stderr, 'standard error');
    });

  it('is not read where it answers with something of another form', async () => {
    everywhere = true;
    try {
      for (const args of [
        ['verify', 'registry.example.org/shop:1'],
        ['report', 'x', '--format', 'markdown'],
      ]) {
        const { code, stdout, stderr } = await runConforme(args, { HOME: folder, CONFORME_SERVER: `http://${server.host}` });
        assert.deepEqual([code, stdout], [3, '']);
        assert.match(stderr, /of a form that this version does not read/);
        assertHarmless(stderr, 'standard error');
      }
    } finally {
      everywhere = false;
    }
  });

  it('does nothing where a terminal is written to: report, verify -f', async () => {
    const conforme = join(import.meta.dirname, '../../scripts/conforme');
    await writeFile(join(folder, 'compose.yaml'), 'services: { a: { image: registry.example.org/shop:1 } }');
    for (const command of ['report x --format markdown', 'report x --format json', `verify -f ${join(folder, 'compose.yaml')}`]) {
      const line = `env HOME=${folder} TERM=xterm ${conforme} ${command} --server http://${server.host}`;
      const { stdout } = await promisify(execFile)('script', ['-qec', line, '/dev/null']).catch((thrown: { stdout: string }) => thrown);
      assert.ok(stdout.length > 100, stdout);
      assertHarmless(stdout, command);
    }
  });
});

describe('the progress on a terminal', () => {
  const drawn = (columns: number) => {
    const lines: string[] = [];
    let time = 0;
    const progress = showProgress({ isTTY: true, columns, write: (text: string) => lines.push(text) }, () => time);
    return { lines, progress, tick: (seconds: number) => (time += seconds * 1000) };
  };

  it('is one line with time, step and the last line of the log', () => {
    const { lines, progress, tick } = drawn(80);
    tick(75);
    progress.log('STEP 1/4: FROM debian');
    progress.step('rebuild');
    progress.log('\u001b[2JSTEP 2/4: RUN make');
    progress.step('conclude');
    progress.end();
    assert.ok(lines.every((line) => line.startsWith('\r\u001b[2K') && !line.slice(5).includes('\u001b') && !line.includes('\n')));
    assert.ok(lines.includes('\r\u001b[2K1:15 rebuilding  '), JSON.stringify(lines));
    assert.equal(lines.at(-1), '\r\u001b[2K');
  });

  it('never takes more than its line, whatever is wide', () => {
    const { lines, progress } = drawn(20);
    progress.log('漢字'.repeat(50));
    progress.step('debian');
    progress.end();
    for (const line of lines) {
      const text = line.replace('\r\u001b[2K', '');
      const width = Array.from(text).reduce((sum, character) => sum + (character >= '\u1100' ? 2 : 1), 0);
      assert.ok(width < 20, text);
    }
  });
});
