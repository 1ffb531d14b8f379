import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { CONFIG_TABLE, parseConfig, type Role, ROLES, SECRET_VARIABLES } from '../src/config.ts';

type Service = {
  command?: string[];
  environment?: Record<string, string>;
  networks: string[];
  volumes?: string[];
  cap_drop?: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt?: string[];
  user?: string;
};
type Compose = { services: Record<string, Service>; networks: Record<string, unknown>; volumes: Record<string, unknown> };

const GIVEN: Record<string, string> = {
  POSTGRES_PASSWORD: 'p',
  CONFORME_TOKEN: 'a-token-of-sixteen',
  CONFORME_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
};

/** `${NAME:-default}` and `${NAME:?message}`, as Compose's specification has them. */
function substitute(text: string): string {
  return text.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_whole, name: string, kind: string, rest: string) => {
    assert.ok(kind === '-' || GIVEN[name] !== undefined, `${name} is required and not given here`);
    return GIVEN[name] ?? rest;
  });
}

const root = join(import.meta.dirname, '..');
const text = await readFile(join(root, 'compose.yaml'), 'utf8');
const { services, networks, volumes } = parse(substitute(text), { merge: true }) as Compose;
const ours = ROLES.map((role) => [role, services[role]] as const);
const DATABASE_ROLES: readonly Role[] = ['api', 'conclude', 'deliver'];

describe('compose.yaml', () => {
  for (const [role, service] of ours) {
    it(`${role} plays its role with what it needs and nothing else`, () => {
      assert.ok(service !== undefined);
      const environment = service.environment ?? {};
      assert.deepEqual(parseConfig(environment).roles, [role]);
      const known = new Set(CONFIG_TABLE.map(({ variable }) => variable));
      for (const name of Object.keys(environment)) assert.ok(known.has(name) || name.startsWith('AWS_'), name);
      assert.equal('DATABASE_URL' in environment, DATABASE_ROLES.includes(role));
      assert.equal(service.networks.includes('database'), DATABASE_ROLES.includes(role));
      assert.equal('CONFORME_TOKEN' in environment, role === 'api');
      assert.equal('CONFORME_WEBHOOK_SECRET' in environment, role === 'deliver');
      assert.equal(
        service.volumes?.some((volume) => volume.startsWith('key:')),
        role === 'conclude',
      );
      assert.equal(service.networks.includes('outside'), role !== 'conclude', 'the key has no way out');
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.equal(service.privileged, undefined);
      assert.deepEqual(service.cap_add, role === 'rebuild' ? ['SETUID', 'SETGID'] : undefined);
      assert.equal(service.security_opt?.includes('no-new-privileges:true'), role !== 'rebuild');
    });
  }

  it('gives the rebuild worker no secret of ours', () => {
    const needed = ['REDIS_URL', 'CONFORME_BLOBS_URL'];
    for (const name of SECRET_VARIABLES) if (!needed.includes(name)) assert.ok(!(name in (services['rebuild']?.environment ?? {})), name);
  });

  it('names only networks and volumes that are there', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const network of service.networks) assert.ok(network in networks, `${name}: ${network}`);
      for (const volume of service.volumes ?? []) assert.ok((volume.split(':')[0] ?? '') in volumes, `${name}: ${volume}`);
    }
  });

  it('and the Dockerfile agree on targets and programs', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    for (const target of text.matchAll(/target: (\w+)/g)) assert.match(dockerfile, new RegExp(`^FROM \\S+ AS ${target[1]}$`, 'm'));
    for (const program of text.matchAll(/\[node, (\S+\.ts)\]/g)) await readFile(join(root, program[1] ?? ''));
    // Nothing runs as root in the end. The first two stages are only copied from.
    for (const stage of dockerfile.split(/^FROM /m).slice(3)) assert.match(stage, /^USER conforme\nCMD [^\n]+\n+$/m);
  });
});
