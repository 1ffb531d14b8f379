import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import openapiTS, { COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript';
import request from 'supertest';
import { PROBLEM_ADVICE } from '../../api/pages/words/en-problems.ts';
import { FINDINGS } from '../../src/model/finding-codes.ts';
import { PROBLEMS } from '../../src/problem.ts';
import { startService, type TestService } from '../support/service.ts';

const GOLDEN = new URL('../golden/openapi.json', import.meta.url);
const TYPES = new URL('../../api/openapi.d.ts', import.meta.url);
let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

describe('the OpenAPI document', () => {
  it('is the golden one (UPDATE_GOLDEN=1 writes it anew)', async () => {
    const { body } = await request(service.url).get('/docs/json');
    const text = `${JSON.stringify(body, null, 2)}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(GOLDEN, text);
    assert.equal(text, await readFile(GOLDEN, 'utf8'));
  });

  it('has its types beside the client (UPDATE_GOLDEN=1 writes them anew)', async () => {
    const document = JSON.parse(await readFile(GOLDEN, 'utf8')) as OpenAPI3;
    const types = `${COMMENT_HEADER}${await openapiTS(document, { commentHeader: '' })}`;
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(TYPES, types);
    assert.equal(types, await readFile(TYPES, 'utf8'));
  });

  it('names every route of the interface and keeps the names of the schemas', async () => {
    const { body } = await request(service.url).get('/docs/json');
    for (const path of [
      '/v1/verifications',
      '/v1/contexts/{digest}',
      '/v1/verifications/{id}',
      '/v1/verifications/{id}/events',
      '/v1/verifications/{id}/files',
      '/v1/verifications/{id}/differences',
      '/v1/verifications/{id}/deliveries',
      '/v1/verifications/{id}/summary',
      '/v1/verdicts/{digest}',
      '/v1/verdicts/{digest}/signature',
      '/v1/verdicts/{digest}/sarif.json',
      '/v1/keys',
      '/v1/images',
      '/badge/{reference}',
      '/healthz',
      '/readyz',
      '/metrics',
    ])
      assert.ok(path in body.paths, path);
    assert.equal(body.openapi, '3.1.0');
    for (const name of ['VerificationRequest', 'Verification', 'Verdict', 'Problem']) assert.ok(name in body.components.schemas, name);
    const dangling = [...JSON.stringify(body).matchAll(/"\$ref":"([^"]*)"/g)].filter(
      ([, target = '']) => !(target.replace('#/components/schemas/', '') in body.components.schemas),
    );
    assert.deepEqual(dangling, []);
  });
});

describe('the documentation', () => {
  it('has every problem code, and no other', async () => {
    const { text } = await request(service.url).get('/docs/problems');
    const documented = [...text.matchAll(/<div id="([a-z-]+)">\s*<dt>/g)].map(([, code]) => code);
    assert.deepEqual(documented.toSorted(), Object.keys(PROBLEMS).toSorted());
    for (const [code, advice] of Object.entries(PROBLEM_ADVICE)) assert.ok(advice.length > 20, code);
  });

  it('has the predicate, with every finding', async () => {
    const { status, text, headers } = await request(service.url).get('/predicates/verdict/v1');
    assert.equal(status, 200);
    assert.match(headers['content-type'] ?? '', /^text\/markdown/);
    for (const code of Object.keys(FINDINGS)) assert.ok(text.includes(`\`${code}\``), code);
  });
});
