import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalJson, canonicalJsonPieces } from '../../src/model/json.ts';

const parsed: unknown = JSON.parse('{"__proto__": {"b": 1, "a": 2}, "constructor": 3}');
const cases: [unknown, string][] = [
  [null, 'null'],
  [undefined, 'null'],
  [1.5, '1.5'],
  [-0, '0'],
  ['a"\\\u2028\ud800', '"a\\"\\\\\u2028\\ud800"'],
  [[], '[]'],
  [{}, '{}'],
  [[1, undefined, [null]], '[1,null,[null]]'],
  [{ b: 1, a: { d: undefined, c: [{ z: 1, y: 2 }] } }, '{"a":{"c":[{"y":2,"z":1}]},"b":1}'],
  [{ a: undefined }, '{}'],
  // Code-unit order, where ECMAScript itself would have 9 before 10.
  [{ 9: 1, 10: 2, A: 3, a: 4 }, '{"10":2,"9":1,"A":3,"a":4}'],
  [parsed, '{"__proto__":{"a":2,"b":1},"constructor":3}'],
  [Array.from({ length: 2500 }, () => ({ b: 1, a: [] })), `[${Array.from({ length: 2500 }, () => '{"a":[],"b":1}').join(',')}]`],
];

for (const [value, text] of cases) {
  it(`writes ${text.slice(0, 40)}`, () => {
    assert.equal(canonicalJson(value), text);
    assert.equal([...canonicalJsonPieces(value)].join(''), text);
  });
}
