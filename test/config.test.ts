import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childEnvironment, CONFIG_HELP, CONFIG_TABLE, parseConfig, unknownVariables } from '../src/config.ts';
import { Problem } from '../src/problem.ts';

const ALL_ELSEWHERE = { REDIS_URL: 'redis://r:6379', DATABASE_URL: 'postgres://p/c' };
const KEY = Buffer.alloc(32, 1).toString('base64');
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const OTHER_KEY = Buffer.alloc(32, 2).toString('base64');

describe('the configuration', () => {
  it('needs nothing', () => {
    const config = parseConfig({ HOME: '/home/x', CONFORME_PORT: ' ' });
    assert.deepEqual([config.host, config.port, config.publicUrl], ['127.0.0.1', 8080, 'http://127.0.0.1:8080']);
    assert.deepEqual(config.roles, ['api', 'rebuild', 'evidence', 'conclude', 'deliver']);
    assert.equal(config.redisUrl, undefined);
    assert.ok(config.buildMemory >= 2 ** 30 && config.buildSeconds > 0);
    assert.ok(Object.isFrozen(config));
  });

  const good: [Record<string, string>, (config: ReturnType<typeof parseConfig>) => unknown, unknown][] = [
    [{ CONFORME_HOST: '::1', CONFORME_PORT: '81' }, (config) => config.publicUrl, 'http://[::1]:81'],
    [{ CONFORME_PUBLIC_URL: 'https://c.example/x//' }, (config) => config.publicUrl, 'https://c.example/x'],
    [
      { CONFORME_REGISTRIES_INSECURE: 'localhost:5000, [::1]:5000,' },
      (config) => config.registriesInsecure,
      ['localhost:5000', '[::1]:5000'],
    ],
    [{ CONFORME_REGISTRY_MIRRORS: 'docker.io=127.0.0.1:5000' }, (config) => [...config.registryMirrors], [['docker.io', '127.0.0.1:5000']]],
    [{ CONFORME_ALLOW_ADDRESSES: '127.0.0.0/8,fd00::/8' }, (config) => config.allowAddresses, ['127.0.0.0/8', 'fd00::/8']],
    [{ CONFORME_REBUILDERS: `https://r.example=${KEY}` }, (config) => config.rebuilders, [{ url: 'https://r.example', keys: [KEY] }]],
    [
      { CONFORME_REBUILDERS: `https://r.example/amd64/=${KEY},https://r.example/all=${KEY},https://r.example/amd64=${OTHER_KEY}` },
      (config) => config.rebuilders,
      [
        { url: 'https://r.example/amd64', keys: [KEY, OTHER_KEY] },
        { url: 'https://r.example/all', keys: [KEY] },
      ],
    ],
    [
      { CONFORME_BUILDINFOS_URL: 'https://b.example/buildinfo-pool/' },
      (config) => config.buildinfosUrl,
      'https://b.example/buildinfo-pool',
    ],
    [{ CONFORME_REBUILDERS_REQUIRED: '2' }, (config) => config.rebuildersRequired, 2],
    [{ CONFORME_BUILD_MEMORY: '512M' }, (config) => config.buildMemory, 512 * 1024 ** 2],
    [
      { CONFORME_DERIVATIVES: 'ubuntu https://a.example/ubuntu/, other http://b.example/x http://c.example/y /etc/keys/o.gpg -security' },
      (config) => config.derivatives,
      [
        {
          id: 'ubuntu',
          addresses: ['https://a.example/ubuntu'],
          keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
          suffixes: ['-updates', '-security'],
        },
        { id: 'other', addresses: ['http://b.example/x', 'http://c.example/y'], keyring: '/etc/keys/o.gpg', suffixes: ['-security'] },
      ],
    ],
    [{}, (config) => config.snapshotUrl, 'https://snapshot.debian.org'],
    [{ CONFORME_SNAPSHOT_URL: 'none' }, (config) => config.snapshotUrl, undefined],
    [{ CONFORME_BUILD_DISK: '65536' }, (config) => config.buildDisk, 65_536],
    [{ ...ALL_ELSEWHERE, CONFORME_ROLES: 'deliver,conclude,deliver' }, (config) => config.roles, ['conclude', 'deliver']],
    [{ REDIS_URL: 'unix:///run/r.sock', CONFORME_ROLES: 'rebuild' }, (config) => config.redisUrl, 'unix:///run/r.sock'],
    [{ CONFORME_ATTACH_TO: 'ghcr.io/example, localhost:5000' }, (config) => config.attachTo, ['ghcr.io/example', 'localhost:5000']],
    [{}, ({ attachTo, attachAs }) => [attachTo, attachAs], [[], 'cosign-tag']],
    [{ CONFORME_KEY_EMAIL: 'verdicts@conforme.example' }, (config) => config.keyEmail, 'verdicts@conforme.example'],
    [{ CONFORME_OPEN: '1' }, (config) => config.open, true],
    [
      { CONFORME_FORGES: 'gitlab git.example:8443 https://git.example:8443/api/v4/ /run/token' },
      (config) => config.forges,
      [{ kind: 'gitlab', host: 'git.example:8443', api: 'https://git.example:8443/api/v4', tokenFile: '/run/token' }],
    ],
    [
      { CONFORME_WEBHOOK_SECRET: `${WEBHOOK_SECRET}, ${WEBHOOK_SECRET}` },
      (config) => config.webhookSecrets,
      [WEBHOOK_SECRET, WEBHOOK_SECRET],
    ],
    [{ CONFORME_RATE_LIMIT: '0' }, (config) => config.rateLimit, 0],
    [{ CONFORME_TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' }, (config) => config.trustedProxies, ['10.0.0.0/8', 'fd00::/8']],
  ];
  for (const [environment, look, value] of good)
    it(`reads ${JSON.stringify(environment)}`, () => assert.deepEqual(look(parseConfig(environment)), value));

  const bad: [string, Record<string, string>][] = [
    ['CONFORME_PORT', { CONFORME_PORT: '0x50' }],
    ['CONFORME_PORT', { CONFORME_PORT: '70000' }],
    ['CONFORME_HOST', { CONFORME_HOST: 'a b' }],
    ['CONFORME_PUBLIC_URL', { CONFORME_PUBLIC_URL: 'javascript:alert(1)' }],
    ['REDIS_URL', { REDIS_URL: 'localhost:6379' }],
    ['REDIS_URL', { CONFORME_ROLES: 'rebuild' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://x/y' }],
    ['DATABASE_URL', { REDIS_URL: 'redis://r', CONFORME_ROLES: 'conclude' }],
    ['DATABASE_URL', { REDIS_URL: 'redis://r', CONFORME_ROLES: 'api,rebuild' }],
    ['CONFORME_BLOBS_URL', { CONFORME_BLOBS_URL: 'http://x' }],
    ['CONFORME_REGISTRIES_INSECURE', { CONFORME_REGISTRIES_INSECURE: 'http://x' }],
    ['CONFORME_REGISTRY_MIRRORS', { CONFORME_REGISTRY_MIRRORS: 'docker.io' }],
    ['CONFORME_ALLOW_ADDRESSES', { CONFORME_ALLOW_ADDRESSES: '127.0.0.1/33' }],
    ['CONFORME_ALLOW_ADDRESSES', { CONFORME_ALLOW_ADDRESSES: 'localhost' }],
    ['CONFORME_DERIVATIVES', { CONFORME_DERIVATIVES: 'ubuntu' }],
    ['CONFORME_DERIVATIVES', { CONFORME_DERIVATIVES: 'debian https://a.example' }],
    ['CONFORME_DERIVATIVES', { CONFORME_DERIVATIVES: 'ubuntu https://a.example keys.gpg' }],
    ['CONFORME_DERIVATIVES', { CONFORME_DERIVATIVES: 'ubuntu https://a.example /a /b' }],
    ['CONFORME_REBUILDERS', { CONFORME_REBUILDERS: 'https://r.example' }],
    ['CONFORME_REBUILDERS', { CONFORME_REBUILDERS: `https://user:secret@r.example=${KEY}` }],
    ['CONFORME_REBUILDERS', { CONFORME_REBUILDERS: `https://r.example=${KEY},https://s.example=${KEY}` }],
    [
      'CONFORME_REBUILDERS_REQUIRED',
      { CONFORME_REBUILDERS: `https://r.example/a=${KEY},https://r.example/b=${KEY}`, CONFORME_REBUILDERS_REQUIRED: '2' },
    ],
    ['CONFORME_REBUILDERS_REQUIRED', { CONFORME_REBUILDERS_REQUIRED: '0' }],
    ['CONFORME_TOKEN', { CONFORME_TOKEN: 'short' }],
    ['CONFORME_WEBHOOK_SECRET', { CONFORME_WEBHOOK_SECRET: 'whsec_AAAA' }],
    ['CONFORME_WEBHOOK_SECRET', { CONFORME_WEBHOOK_SECRET: Array(5).fill(WEBHOOK_SECRET).join() }],
    ['CONFORME_ROLES', { CONFORME_ROLES: 'api,sign' }],
    ['CONFORME_ROLES', { CONFORME_ROLES: ',' }],
    ['CONFORME_BUILD_MEMORY', { CONFORME_BUILD_MEMORY: '4 GB' }],
    ['CONFORME_OPEN', { CONFORME_OPEN: 'yes' }],
    ['CONFORME_FORGES', { CONFORME_FORGES: 'github.com https://api.github.com /run/token' }],
    ['CONFORME_FORGES', { CONFORME_FORGES: 'github github.com https://api.github.com token' }],
    ['CONFORME_RATE_LIMIT', { CONFORME_RATE_LIMIT: 'many' }],
    ['CONFORME_TRUSTED_PROXIES', { CONFORME_TRUSTED_PROXIES: 'true' }],
    ['CONFORME_OPEN', { CONFORME_OPEN: '1', CONFORME_HOST: '0.0.0.0' }],
    ['CONFORME_ATTACH_TO', { CONFORME_ATTACH_TO: 'https://ghcr.io/example' }],
    ['CONFORME_ATTACH_TO', { CONFORME_ATTACH_TO: 'ghcr.io/example/../other' }],
    ['CONFORME_ATTACH_TO', { CONFORME_ATTACH_TO: 'ghcr.io/' }],
    ['CONFORME_ATTACH_TO', { CONFORME_ATTACH_TO: 'example/app' }],
    ['CONFORME_ATTACH_AS', { CONFORME_ATTACH_AS: 'referrer' }],
    ['CONFORME_KEY_EMAIL', { CONFORME_KEY_EMAIL: 'root@localhost' }],
    ['CONFORME_KEY_EMAIL', { CONFORME_KEY_EMAIL: 'a> <b@example.org' }],
    ['CONFORME_KEY_EMAIL', { CONFORME_KEY_EMAIL: '../a@example.org' }],
    ['CONFORME_INSTANCE', { CONFORME_INSTANCE: 'x <root@example.org>' }],
  ];
  for (const [variable, environment] of bad) {
    it(`refuses ${JSON.stringify(environment)}`, () => {
      assert.throws(
        () => parseConfig(environment),
        (thrown) => thrown instanceof Problem && thrown.code === 'invalid-configuration' && thrown.message.startsWith(`${variable}: `),
      );
    });
  }

  it('never tells a secret, not even a wrong one', () => {
    for (const variable of ['CONFORME_TOKEN', 'REDIS_URL', 'DATABASE_URL', 'CONFORME_WEBHOOK_SECRET', 'CONFORME_BLOBS_URL'])
      assert.throws(
        () => parseConfig({ [variable]: 'hunter2:' }),
        (thrown) => !String(thrown).includes('hunter2'),
        variable,
      );
  });

  it('is all in the help', () => {
    for (const { variable } of CONFIG_TABLE) assert.ok(CONFIG_HELP.includes(`  ${variable} `), variable);
    assert.equal(new Set(CONFIG_TABLE.map(({ variable }) => variable)).size, CONFIG_TABLE.length);
    assert.ok(CONFIG_HELP.split('\n').every((line) => line.length < 170));
  });

  it('notices a typing error', () => {
    assert.deepEqual(unknownVariables({ CONFORME_PROT: '1', CONFORME_PORT: '2', PATH: 'x' }), ['CONFORME_PROT']);
  });

  it('gives the process beside untrusted builds no secret', () => {
    const secrets = {
      CONFORME_TOKEN: 't',
      CONFORME_WEBHOOK_SECRET: 's',
      DATABASE_URL: 'd',
      PGPASSWORD: 'p',
      GITHUB_TOKEN: 'g',
      NODE_OPTIONS: '-r x',
    };
    const rest = { PATH: '/bin', CONFORME_BUILD_SECONDS: '5', CONFORME_BLOBS_URL: 'file:///b', AWS_REGION: 'r', REDIS_URL: 'redis://r' };
    assert.deepEqual(childEnvironment({ ...secrets, ...rest }), rest);
  });
});
