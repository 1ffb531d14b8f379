import assert from 'node:assert/strict';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { SHARED } from '../../api/schemas.ts';

/** How often a schema that holds itself is written out; what is nested more deeply matches nothing. */
const NESTED_MAX = 10;

/** The schema with every reference to a shared one replaced by it, and no name allowed that it does not have. */
function closed(schema: unknown, within: readonly string[] = []): unknown {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map((one) => closed(one, within));
  const { $ref } = schema as { $ref?: string };
  if ($ref !== undefined) {
    if (within.filter((one) => one === $ref).length >= NESTED_MAX) return { not: {} };
    return closed(SHARED[$ref.replace(/#$/, '')], [...within, $ref]);
  }
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value, within)]));
  return inner['type'] === 'object' && inner['properties'] !== undefined ? { additionalProperties: false, ...inner } : inner;
}

/** Fails where `value` is not exactly what the OpenAPI document says of the named schema. */
export function assertMatches(name: string, value: unknown): void {
  const errors = Compile(closed(SHARED[name]) as TSchema).Errors(value);
  assert.deepEqual(errors.slice(0, 3), [], `not a ${name}`);
}
