/** The catalogues of what pages say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textOf } from '../../api/pages/html.ts';
import { en } from '../../api/pages/words/en.ts';
import { fr } from '../../api/pages/words/fr.ts';
import { FR_BADGE } from '../../api/pages/words/fr-badge.ts';
import { FR_FINDINGS } from '../../api/pages/words/fr-findings.ts';
import { FR_PROBLEMS } from '../../api/pages/words/fr-problems.ts';
import { sayIn } from '../../api/pages/words/index.ts';
import { textsOf } from '../support/words.ts';

describe('the French words', () => {
  it('have spaces that do not break where French has them, and no others', () => {
    let texts = 0;
    for (const [place, text] of textsOf({ ...fr, FR_FINDINGS, FR_PROBLEMS, FR_BADGE: { ...FR_BADGE, percent: undefined } }, '')) {
      texts += 1;
      const words = text.replace(/<code>.*?<\/code>|<a [^>]*>|Authorization: Bearer/g, '');
      assert.doesNotMatch(words, /[ \p{L}\d)][;?!»](?=\s|$)|« |[^\s\u00a0] :(?=\s|$)|\p{L}:(?=\s|$)/u, `${place}: ${words}`);
      assert.doesNotMatch(words, /\p{L}'\p{L}|"/u, `${place}: ${words}`);
    }
    assert.ok(texts > 500, `${texts}`);
  });

  it('are no English ones left over', () => {
    const french = new Map(textsOf(fr, ''));
    const same = [...textsOf(en, '')].filter(([place, text]) => french.get(place) === text && text.split(' ').length > 2);
    assert.deepEqual(same, []);
  });
});

describe('numbers and times', () => {
  it('are written as each language does', () => {
    const [english, french] = [sayIn('en'), sayIn('fr')];
    assert.deepEqual(
      [
        english.count(12_345),
        english.bytes(1536),
        english.bytes(12),
        english.percent(0.99969),
        english.percent(1),
        english.day('2026-11-04T23:59:59Z'),
      ],
      ['12,345', '1.5\u00a0kB', '12\u00a0B', '99.9%', '100%', '4 Nov 2026'],
    );
    assert.deepEqual(
      [french.count(12_345), french.bytes(1536), french.bytes(12), french.percent(0.99969), french.day('2026-11-04T23:59:59Z')],
      ['12\u202f345', '1,5\u00a0ko', '12\u00a0o', '99,9\u00a0%', '4 nov. 2026'],
    );
    assert.equal(textOf(french.time('2026-11-04T09:05:59Z')), '<time datetime="2026-11-04T09:05:59Z">4 nov. 2026, 09:05 UTC</time>');
  });
});
