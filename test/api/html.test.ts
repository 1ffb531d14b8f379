import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { escapeHtml, html, inlineElement, textOf } from '../../api/pages/html.ts';
import { bytesText, countText, printableLine } from '../../api/text.ts';

describe('the html tag', () => {
  it('escapes every value, in text and in quoted attributes', () => {
    const evil = '<img src=x onerror="alert(1)">\'&';
    assert.equal(
      textOf(html`<p title="${evil}">${evil}</p>`),
      '<p title="&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;</p>',
    );
  });

  it('keeps what is HTML already, joins lists, and leaves out what is not there', () => {
    assert.equal(textOf(html`${[html`<b>${1}</b>`, '<', undefined]}${false}${0}`), '<b>1</b>&lt;0');
  });

  it('takes nothing for HTML that only looks like it', () => {
    const forged = JSON.parse('{"html":"<b>","toString":"<b>"}') as never;
    assert.throws(() => textOf(html`${forged}`));
  });

  it('shows what cannot be seen', () => {
    assert.equal(escapeHtml('a\u202eb\u0000c\u200bd\u001b[31m\ne\tf'), 'a\\u{202e}b\\u{0}c\\u{200b}d\\u{1b}[31m\ne\tf');
  });

  it('writes a file of our own as it is, and refuses one that ends its own element', () => {
    assert.equal(textOf(html`${inlineElement('style', 'a > b {}')}`), '<style>a > b {}</style>');
    for (const text of ['</script>', 'x</style', '<!-- x']) assert.throws(() => inlineElement('script', text));
  });
});

describe('text for people', () => {
  it('holds nothing that moves, hides or reorders', () => {
    const cases: [string, string][] = [
      ['plain', 'plain'],
      ['\u001b[31mred\u001b[0m', 'red'],
      ['\u001b]0;title\u0007x', 'x'],
      ['\u009b31mx', '31mx'],
      ['a\rb\bc\u202ed\u2066e\u200bf\ufeffg\u00adh', 'abcdefgh'],
      ['a\tb', 'a    b'],
      ['\ud800x', 'x'],
      ['żółć 漢字', 'żółć 漢字'],
    ];
    for (const [given, expected] of cases) assert.equal(printableLine(given), expected, JSON.stringify(given));
    assert.ok(printableLine('x'.repeat(1_000_000)).length <= 8_000);
  });

  it('counts in decimal units', () => {
    assert.deepEqual([0, 999, 1000, 1_536_000, 999_999, 123_456_789].map(bytesText), [
      '0 B',
      '999 B',
      '1.0 kB',
      '1.5 MB',
      '1000 kB',
      '123 MB',
    ]);
    assert.deepEqual([0, 999, 1000, 1234567].map(countText), ['0', '999', '1\u202f000', '1\u202f234\u202f567']);
  });
});
