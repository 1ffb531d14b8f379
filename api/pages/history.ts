/** The verdicts on one repository over time: which tag, which answer, and since when. */
import type { Verification } from '../../src/model/verification.ts';
import type { PageContent } from './document.ts';
import { html, type Html } from './html.ts';
import { verificationsTable } from './overview.ts';
import { AUDITABLE_WORDS, RESULT_WORDS } from './words.ts';

/** Units of the drawing. */
const WIDTH = 1000;
const ROW = 30;
const LABELS = 190;
const TAGS_SHOWN = 20;

const tagOf = ({ image: { reference } }: Verification, repository: string): string => reference.slice(repository.length + 1);

export function historyPage(repository: string, items: Verification[]): PageContent {
  return {
    title: `History of ${repository}`,
    body: html`<h1>History of <code>${repository}</code></h1>
      ${changes(items, repository)} ${chart(items, repository)} ${verificationsTable(items)}`,
  };
}

/** When a tag stopped being reproducible, or auditable, in words. */
function changes(items: Verification[], repository: string): Html {
  const byTag = Map.groupBy(items, (item) => tagOf(item, repository));
  const lines = [...byTag].flatMap(([tag, newestFirst]) => {
    const [last, before] = newestFirst.filter(({ verdict }) => verdict !== undefined);
    if (last?.verdict === undefined || before?.verdict === undefined) return [];
    if (last.verdict.result === before.verdict.result && last.verdict.auditable === before.verdict.auditable) return [];
    return html`<li>
      <code>${tag}</code> was ${words(before)} until ${before.createdAt.slice(0, 10)}, and is
      <a href="/verifications/${last.id}">${words(last)}</a> since ${last.createdAt.slice(0, 10)}.
    </li>`;
  });
  return html`${
    lines.length > 0 &&
    html`<ul>
      ${lines}
    </ul>`
  }`;
}

const words = ({ verdict }: Verification): string =>
  verdict === undefined
    ? 'not judged'
    : `${AUDITABLE_WORDS[verdict.auditable].value.toLowerCase()} (${RESULT_WORDS[verdict.result].value.toLowerCase()})`;

function chart(items: Verification[], repository: string): Html {
  const tags = [...new Set(items.map((item) => tagOf(item, repository)))].slice(0, TAGS_SHOWN);
  const times = items.map(({ createdAt }) => Date.parse(createdAt));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (items.length < 2) return html``;
  const x = (at: number): number => LABELS + 20 + ((WIDTH - LABELS - 40) * (at - first)) / Math.max(last - first, 1);
  const height = tags.length * ROW + 26;
  const dots = items.toReversed().flatMap((item) => {
    const row = tags.indexOf(tagOf(item, repository));
    if (row < 0) return [];
    const tone = item.verdict === undefined ? 'none' : AUDITABLE_WORDS[item.verdict.auditable].tone;
    return html`<a href="/verifications/${item.id}"
      ><circle class="t-${tone}" cx="${x(Date.parse(item.createdAt)).toFixed(1)}" cy="${row * ROW + 16}" r="7"
        ><title>${tagOf(item, repository)}, ${item.createdAt.slice(0, 16).replace('T', ' ')}: ${words(item)}</title></circle
      ></a
    >`;
  });
  return html`<svg
    class="history"
    viewBox="0 0 ${WIDTH} ${height}"
    role="group"
    aria-label="Verdicts over time; the table below says the same in words"
  >
    ${tags.map(
      (tag, row) =>
        html`<text x="0" y="${row * ROW + 20}">${tag.length > 26 ? `${tag.slice(0, 25)}…` : tag}</text
          ><line x1="${LABELS}" x2="${WIDTH}" y1="${row * ROW + 16}" y2="${row * ROW + 16}"></line>`,
    )}
    ${dots}
    <text x="${LABELS}" y="${height - 4}">${new Date(first).toISOString().slice(0, 10)}</text>
    <text x="${WIDTH}" y="${height - 4}" text-anchor="end">${new Date(last).toISOString().slice(0, 10)}</text>
  </svg>`;
}
