import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import openapiTS, { COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript';

const GOLDEN = new URL('../golden/openapi.json', import.meta.url);
const TYPES = new URL('../../api/openapi.d.ts', import.meta.url);

it('the types of the client are those of the OpenAPI document (UPDATE_GOLDEN=1 writes them anew)', async () => {
  const types = `${COMMENT_HEADER}${await openapiTS(JSON.parse(await readFile(GOLDEN, 'utf8')) as OpenAPI3, { commentHeader: '' })}`;
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(TYPES, types);
  assert.equal(types, await readFile(TYPES, 'utf8'));
});
