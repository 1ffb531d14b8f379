/** The verdicts on one repository over time: which tag, which answer, and since when. */
import type { Verification } from '../../src/model/verification.ts';
import type { PageContent } from './document.ts';
import { html, type Html } from './html.ts';
import { verificationsTable } from './overview.ts';
import { AUDITABLE_TONES, type Tone } from './tones.ts';
import type { Say } from './words/index.ts';

/** Units of the drawing. */
const WIDTH = 1000;
const ROW = 30;
const LABELS = 190;
const TAGS_SHOWN = 20;
/** A disc, a triangle, a cross and a ring: told apart without their colours. */
const SHAPES: Record<Tone, string> = {
  good: 'M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0',
  fair: 'M0-8 8 7H-8z',
  bad: 'm-7-4 3-3 4 4 4-4 3 3-4 4 4 4-3 3-4-4-4 4-3-3 4-4z',
  none: 'M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0m3 0a3 3 0 1 1 6 0a3 3 0 1 1-6 0',
};

const tagOf = ({ image: { reference } }: Verification, repository: string): string => reference.slice(repository.length + 1);

export function historyPage(say: Say, repository: string, items: Verification[]): PageContent {
  return {
    title: say.history.title(repository),
    body: html`<h1>${say.history.heading(html`<code>${repository}</code>`)}</h1>
      ${changes(say, items, repository)} ${chart(say, items, repository)} ${verificationsTable(say, items)}`,
  };
}

/** When a tag stopped being reproducible, or auditable, in words. */
function changes(say: Say, items: Verification[], repository: string): Html {
  const byTag = Map.groupBy(items, (item) => tagOf(item, repository));
  const lines = [...byTag].flatMap(([tag, newestFirst]) => {
    const [last, before] = newestFirst.filter(({ verdict }) => verdict !== undefined);
    if (last?.verdict === undefined || before?.verdict === undefined) return [];
    if (last.verdict.result === before.verdict.result && last.verdict.auditable === before.verdict.auditable) return [];
    return html`<li>
      ${say.history.change(
        html`<code>${tag}</code>`,
        words(say, before),
        say.day(before.createdAt),
        html`<a href="${say.to(`/verifications/${last.id}`)}">${words(say, last)}</a>`,
        say.day(last.createdAt),
      )}
    </li>`;
  });
  return html`${
    lines.length > 0 &&
    html`<ul>
      ${lines}
    </ul>`
  }`;
}

const words = (say: Say, { verdict }: Verification): string =>
  verdict === undefined
    ? say.history.notJudged
    : `${say.auditable[verdict.auditable].value.toLowerCase()} (${say.result[verdict.result].value.toLowerCase()})`;

function chart(say: Say, items: Verification[], repository: string): Html {
  const tags = [...new Set(items.map((item) => tagOf(item, repository)))].slice(0, TAGS_SHOWN);
  const times = items.map(({ createdAt }) => Date.parse(createdAt));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (items.length < 2) return html``;
  const x = (at: number): number => LABELS + 20 + ((WIDTH - LABELS - 40) * (at - first)) / Math.max(last - first, 1);
  const height = tags.length * ROW + 26;
  const dots = items.toReversed().flatMap((item) => {
    const row = tags.indexOf(tagOf(item, repository));
    if (row < 0) return [];
    const tone = item.verdict === undefined ? 'none' : AUDITABLE_TONES[item.verdict.auditable];
    return html`<a href="${say.to(`/verifications/${item.id}`)}"
      ><path class="t-${tone}" transform="translate(${x(Date.parse(item.createdAt)).toFixed(1)} ${row * ROW + 16})" d="${SHAPES[tone]}"
        ><title>${say.picture.file(tagOf(item, repository), say.day(item.createdAt), words(say, item))}</title></path
      ></a
    >`;
  });
  return html`<div class="scroll">
    <svg class="history" viewBox="0 0 ${WIDTH} ${height}" role="group" aria-label="${say.history.chart}">
      ${tags.map(
        (tag, row) =>
          html`<text x="0" y="${row * ROW + 20}">${tag.length > 26 ? `${tag.slice(0, 25)}…` : tag}</text
            ><line x1="${LABELS}" x2="${WIDTH}" y1="${row * ROW + 16}" y2="${row * ROW + 16}"></line>`,
      )}
      ${dots}
      <text x="${LABELS}" y="${height - 4}">${say.day(new Date(first).toISOString())}</text>
      <text x="${WIDTH}" y="${height - 4}" text-anchor="end">${say.day(new Date(last).toISOString())}</text>
    </svg>
  </div>`;
}
