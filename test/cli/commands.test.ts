import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { checkStatement } from '../../api/check-statement.ts';
import { makeSigner } from '../../src/adapters/openpgp/signer.ts';
import type { Verification } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { type Ended, runConforme } from '../support/command-line.ts';
import { sampleJob } from '../support/sample.ts';
import { HOSTILE_NAME } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let honest: Verification;
let bad: Verification;
let folder: string;

before(async () => {
  service = await startService();
  honest = await service.judged('honest', 'registry.example.org/shop:1');
  bad = await service.judged('backdoored', 'docker.io/library/shop:latest');
  folder = await mkdtemp(join(tmpdir(), 'conforme-cli-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
});

const conforme = (args: string[], environment: Record<string, string> = {}): Promise<Ended> =>
  runConforme(args, { HOME: folder, CONFORME_SERVER: service.url, ...environment });
/** Nothing that a terminal would obey, and nothing that hides or reorders what stands around it. */
const assertHarmless = (text: string): void => assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);

describe('conforme status', () => {
  it('says how a verification stands, by its id, its image or a digest', async () => {
    for (const name of [bad.id, 'shop', 'docker.io/library/shop:latest', bad.image.digest]) {
      const { code, stdout, stderr } = await conforme(['status', name]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^docker\.io\/library\/shop:latest .*\nauditable no, suspicious\n.*\nfindings: 1 critical, 1 high, 1 medium\n/);
    }
  });

  it('says that it runs, failed, or was never asked for', async () => {
    const { verification } = await service.deps.records.accept(sampleJob('waiting', 'registry.example.org/waiting:1'), 'waiting');
    assert.match((await conforme(['status', verification.id])).stdout, /\nwaiting for a worker\n/);
    await service.deps.records.fail(verification.id, new Problem('registry-unavailable', 'it answers \u001b[2J503').toDocument());
    const failed = await conforme(['status', verification.id]);
    assert.equal(failed.code, 3);
    assert.match(failed.stdout, /\nfailed: registry-unavailable: it answers 503\n/);
    const none = await conforme(['status', 'registry.example.org/never:1']);
    assert.deepEqual([none.code, none.stdout], [3, '']);
    assert.match(none.stderr, /nobody has asked about registry\.example\.org\/never:1/);
  });
});

describe('conforme report', () => {
  it('prints a verdict in each form, and ends with 0 unless a threshold is asked for', async () => {
    const expected = {
      text: /auditable {3}no/,
      markdown: /^## conforme: auditable no, suspicious/,
      json: /"auditable": "no"/,
      sarif: /"version": "2\.1\.0"/,
      cyclonedx: /"specVersion":\s*"1\.6"/,
      spdx: /"spdxVersion":\s*"SPDX-2\.3"/,
      statement: /"_type":"https:\/\/in-toto\.io\/Statement\/v1"/,
      signature: /^-----BEGIN PGP SIGNATURE-----/,
    };
    for (const [format, form] of Object.entries(expected)) {
      const { code, stdout, stderr } = await conforme(['report', bad.id, '--format', format]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, form);
      if (format !== 'signature') assert.ok(stdout.length > 500);
      assertHarmless(stdout.replaceAll('\r\n', '\n'));
    }
    assert.equal((await conforme(['report', bad.id, '--fail-on', 'suspicious'])).code, 1);
    assert.equal((await conforme(['report', bad.id, '--format', 'pdf'])).code, 3);
  });

  it('colours for a terminal or where it is asked for, and never against NO_COLOR', async () => {
    const escape = '\u001b[';
    assert.ok(!(await conforme(['report', bad.id])).stdout.includes(escape));
    const forced = await conforme(['report', bad.id], { FORCE_COLOR: '1' });
    assert.ok(forced.stdout.includes(`${escape}31mno${escape}39m`), forced.stdout);
    for (const environment of [{ FORCE_COLOR: '1', NO_COLOR: '1' }, { FORCE_COLOR: '0' }])
      assert.ok(!(await conforme(['report', bad.id], environment)).stdout.includes(escape));
    const inTerminal = async (environment: string): Promise<string> => {
      const command = `${join(import.meta.dirname, '../../scripts/conforme')} report ${bad.id} --server ${service.url}`;
      const { stdout } = await promisify(execFile)('script', ['-qec', `env ${environment} ${command}`, '/dev/null']);
      return stdout;
    };
    assert.ok((await inTerminal('TERM=xterm')).includes(escape));
    assert.ok(!(await inTerminal('NO_COLOR=1')).includes(escape));
    assert.ok(!(await inTerminal('TERM=dumb')).includes(escape));
  });
});

describe('conforme check', () => {
  let files: { statement: string; signature: string; key: string };
  const store = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const check = (part: Partial<typeof files> = {}, ...more: string[]): Promise<Ended> => {
    const { statement, signature, key } = { ...files, ...part };
    // No service is there to ask.
    return conforme(['check', statement, signature, '--key', key, ...more], { CONFORME_SERVER: 'http://127.0.0.1:1' });
  };

  before(async () => {
    const get = async (what: string) => (await conforme(['report', bad.id, '--format', what])).stdout;
    files = {
      statement: await store('verdict.json', await get('statement')),
      signature: await store('verdict.json.asc', await get('signature')),
      key: await store('key.asc', (await conforme(['keys'])).stdout),
    };
  });

  it('works offline, says what is stated and by whom, and ends by the threshold', async () => {
    const { code, stdout, stderr } = await check();
    assert.equal(code, 1, stderr);
    for (const part of ['auditable   no', 'critical', (await service.deps.signer.fingerprint()).toUpperCase(), String(bad.verdictDigest)])
      assert.ok(stdout.includes(part), `${part} in ${stdout}`);
    assertHarmless(stdout);
    assert.ok(stdout.includes(HOSTILE_NAME));
    assert.equal((await check({}, '--fail-on', 'never')).code, 0);
    const json = JSON.parse((await check({}, '--json')).stdout) as { statement: string; verdict: { auditable: string } };
    assert.deepEqual([json.statement, json.verdict.auditable], [bad.verdictDigest, 'no']);
  });

  it('holds the statement to the image that is meant', async () => {
    for (const digest of [bad.image.digest, bad.image.manifestDigest]) assert.equal((await check({}, '--subject', digest)).code, 1);
    const other = await check({}, '--subject', honest.image.digest);
    assert.deepEqual([other.code, other.stdout], [3, '']);
    assert.match(other.stderr, /the statement is not about sha256:/);
  });

  it('ends with an error where the signature does not hold', async () => {
    const changed = (await readFile(files.statement, 'utf8')).replace('"no"', '"yes"');
    const { code, stdout, stderr } = await check({ statement: await store('changed.json', changed) });
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /the signature does not hold/);
    assert.equal((await conforme(['check', files.statement, files.signature])).code, 3);
  });

  it('believes nothing that the key did not sign', async () => {
    const [own, other] = await Promise.all([makeSigner(join(folder, 'own'), 'own'), makeSigner(join(folder, 'other'), 'other')]);
    const [key, foreign] = await Promise.all([own.publicKey(), other.publicKey()]);
    const text = await readFile(files.statement, 'utf8');
    const sign = (what: string): Promise<string> => own.sign(Buffer.from(what));
    const good = await sign(text);
    assert.equal(
      (await checkStatement(Buffer.from(text), good, `${foreign}\n${key}`)).fingerprint,
      (await own.fingerprint()).toUpperCase(),
    );
    const cases: [what: string, statement: string, signature: string, keys: string, message: RegExp][] = [
      ['other bytes', text.replace('"no"', '"yes"'), good, key, /does not hold/],
      ['more bytes', `${text}\n`, good, key, /does not hold/],
      ['another key', text, good, foreign, /does not hold/],
      ['a signature of another', text, await other.sign(Buffer.from(text)), key, /does not hold/],
      ['no signature', text, '', key, /holds no OpenPGP signature/],
      ['no key', text, good, 'x', /holds no OpenPGP key/],
      ['the signature as key', text, good, good, /holds no OpenPGP key/],
      ['signed, and no JSON', 'yes', await sign('yes'), key, /is no JSON/],
      ['signed, and no verdict', '{"auditable":"yes"}', await sign('{"auditable":"yes"}'), key, /is no verdict of a form/],
    ];
    for (const [what, statement, signature, keys, message] of cases)
      await assert.rejects(checkStatement(Buffer.from(statement), signature, keys), message, what);
    const predicate = text.replace('verdict:v1', 'verdict:v2');
    await assert.rejects(checkStatement(Buffer.from(predicate), await sign(predicate), key), /is no verdict of a form/);
  });
});

describe('conforme keys', () => {
  it('prints the key, and its fingerprint beside', async () => {
    const fingerprint = (await service.deps.signer.fingerprint()).toUpperCase();
    const { code, stdout, stderr } = await conforme(['keys']);
    assert.equal(code, 0);
    assert.match(stdout, /^-----BEGIN PGP PUBLIC KEY BLOCK-----\n/);
    assert.ok(stderr.includes(fingerprint));
    assert.equal((JSON.parse((await conforme(['keys', '--json'])).stdout) as { fingerprint: string }).fingerprint, fingerprint);
  });
});

describe('conforme completion', () => {
  const completed = async (line: string): Promise<string[]> => {
    const script = await store('bash');
    const program = `source "$1"; read -ra COMP_WORDS <<<"$2"; [[ $2 != *' ' ]] || COMP_WORDS+=(''); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _conforme; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', program, 'bash', script, line]);
    return stdout.split('\n').filter((word) => word !== '');
  };
  const store = async (shell: string): Promise<string> => {
    const { code, stdout } = await conforme(['completion', shell]);
    assert.equal(code, 0);
    await writeFile(join(folder, `completion.${shell}`), stdout);
    return join(folder, `completion.${shell}`);
  };

  it('offers commands, options and values in bash', async () => {
    assert.deepEqual(await completed('conforme re'), ['report', 'recompute']);
    assert.deepEqual(await completed('conforme verify --b'), ['--build-arg']);
    assert.deepEqual(await completed('conforme report x --format s'), ['sarif', 'spdx', 'statement', 'signature']);
    assert.deepEqual(await completed('conforme completion '), ['bash', 'zsh', 'fish']);
    assert.deepEqual(await completed('conforme verify x --fail-on su'), ['suspicious']);
  });

  it('is read by zsh and fish, and names every option there', async () => {
    for (const shell of ['zsh', 'fish']) {
      await promisify(execFile)(shell, ['-n', await store(shell)]);
      const text = await readFile(join(folder, `completion.${shell}`), 'utf8');
      for (const option of ['fail-on', 'build-arg', 'no-wait', 'format', 'subject'])
        assert.ok(text.includes(option), `${option} in ${shell}`);
    }
    const { stdout } = await promisify(execFile)('fish', ['-c', `source ${join(folder, 'completion.fish')}; complete -C 'conforme re'`], {
      env: { ...process.env, HOME: folder },
    });
    assert.deepEqual(
      stdout.split('\n').map((line) => line.split('\t')[0]),
      ['recompute', 'report', ''],
    );
  });

  it('knows no other shell', async () => {
    assert.equal((await conforme(['completion', 'tcsh'])).code, 3);
  });
});
