/** What a verdict rests on, in lists too long for its page: packages, downloads, rules. */
import type { RebuildOutcome } from '../../src/model/rebuilders.ts';
import type { StatedReproduction, Statement } from '../../src/model/statement.ts';
import type { PageContent } from './document.ts';
import { fitting, html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

/** Characters of a page's rows. */
const ROWS_MAX = 170_000;

/** `cells`: of one item, a cell each; the first heads its row. */
type List<T> = { title: string; heads: readonly string[]; items: readonly T[]; cells: (item: T) => (Html | string)[]; more?: Html };

function listPage<T>(say: Say, digest: string, image: string, { title, heads, items, cells, more }: List<T>): PageContent {
  const row = (item: T): Html => {
    const [head, ...rest] = cells(item);
    return html`<tr>
      <th scope="row">${head}</th>
      ${rest.map((cell) => html`<td>${cell}</td>`)}
    </tr>`;
  };
  const { shown, rest } = fitting(items, row, ROWS_MAX);
  return {
    title: say.contents.title(title, image),
    body: html`<p class="image">
        <a href="${say.to(`/verdicts/${digest}`)}"><code>${image}</code></a>
      </p>
      <h1>${title} <span class="count">${say.count(items.length)}</span></h1>
      ${more}
      <div class="card scroll">
        <table>
          <thead>
            <tr>
              ${heads.map((name) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${shown}
          </tbody>
        </table>
        ${rest > 0 && html`<p><a href="/v1/verdicts/${digest}">${say.site.moreInVerdict(say.count(rest))}</a></p>`}
      </div>`,
  };
}

/** Those that are not verified first. */
export function packagesPage(say: Say, digest: string, { predicate }: Statement): PageContent {
  const { packages, rebuilders, image } = predicate;
  const words = say.packages;
  return listPage(say, digest, image.reference, {
    title: words.title,
    heads: [words.package, words.standing, ...(rebuilders === undefined ? [] : [words.rebuilders])],
    items: packages.toSorted((a, b) => Number(a.status === 'verified') - Number(b.status === 'verified')),
    cells: ({ purl, status, unverified, reproduced }) => [
      html`<code>${purl}</code>`,
      html`<span class="tag ${status === 'verified' ? 'good' : 'fair'}">${status}</span> ${unverified ?? ''}`,
      ...(rebuilders === undefined
        ? []
        : [
            reproduced === undefined
              ? ''
              : html`<span class="tag ${reproduced.by >= rebuilders.atLeast ? 'good' : 'none'}">${reproducedWords(say, reproduced)}</span>`,
          ]),
    ],
  });
}

/** Nothing here blames a package: what was not reproduced mostly holds the time of its build. */
function reproducedWords({ packages: words }: Say, { by, of, rebuilders }: StatedReproduction): string {
  if (by > 0) return words.reproducedBy(by, of);
  const said = (outcome: RebuildOutcome): boolean => rebuilders.some((answer) => answer.outcome === outcome);
  if (said('not-reproduced')) return words.notReproduced;
  return rebuilders.every(({ outcome }) => outcome === 'unavailable') ? words.noAnswer : words.notAttested;
}

export function downloadsPage(say: Say, digest: string, { predicate }: Statement): PageContent {
  const words = say.rebuild;
  return listPage(say, digest, predicate.image.reference, {
    title: words.fetched,
    heads: [words.address, 'SHA-256', words.size],
    items: predicate.resolvedDependencies,
    cells: ({ uri, digest: of, annotations }) => [
      html`<code>${uri}</code
        >${annotations?.original !== undefined && html`<small>${words.instead(html`<code>${annotations.original}</code>`)}</small>`}`,
      of === undefined ? words.notSeen : html`<code title="${of.sha256}">${of.sha256.slice(0, 12)}…</code>`,
      annotations?.size === undefined ? '' : say.bytes(annotations.size),
    ],
  });
}

export function rulesPage(say: Say, digest: string, { predicate }: Statement): PageContent {
  const words = say.verdict;
  return listPage(say, digest, predicate.image.reference, {
    title: words.rules,
    heads: [words.rule, words.reason],
    items: predicate.rules,
    cells: ({ name, version, reason }) => [html`<code>${name}@${version}</code>`, html`${say.english(reason)}`],
    more: html`<p class="soft">${words.rulesMean}</p>`,
  });
}
