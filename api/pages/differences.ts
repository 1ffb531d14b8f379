import type { Digest } from '../../src/model/digest.ts';
import type { DifferingPackage, Explanation, Explanations } from '../../src/model/explanation.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Difference, DifferenceClass } from '../../src/model/verdict.ts';
import { lineAddress } from '../../src/steps/line-address.ts';
import { explanationDetails } from './explanation.ts';
import { fitting, html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

const STEP_SHOWN = 140; // characters of a step
/** Characters of the page. */
const ROWS_MAX = 36_000;
const PACKAGES_MAX = 8_000;

/** What is shown of the differences beside their numbers. */
export type ShownDifferences = {
  differences: readonly Difference[];
  /** Of those that are shown, the ones that the page has room for. */
  explanations: ReadonlyMap<Digest, Explanation>;
  rebuild: Rebuild;
  /** Addresses of the lists. */
  api: string;
};

type Counts = Statement['predicate']['differences'];

export function differencesSection(say: Say, counts: Counts, shown: ShownDifferences): Html {
  const { explanations: told } = shown.rebuild;
  return html`<section aria-labelledby="differences">
    <h2 id="differences">${say.differences.title} <span class="count">${say.count(counts.total)}</span></h2>
    ${counts.total === 0 && html`<p class="soft">${say.differences.none}</p>`} ${countsCard(say, counts, `${shown.api}/differences`)}
    ${shown.differences.length > 0 && listDetails(say, counts, shown)} ${told !== undefined && packagesDetails(say, told)}
  </section>`;
}

function countsCard(say: Say, counts: Counts, link: string): Html {
  const causes = (Object.keys(say.cause) as Difference['cause'][]).filter((cause) => (counts.byCause[cause] ?? 0) > 0);
  const classes = (Object.keys(say.class) as DifferenceClass[]).filter((one) => (counts.byClass?.[one] ?? 0) > 0);
  if (causes.length === 0) return html``;
  const row = (name: string, address: string, words: string, count: number): Html =>
    html`<tr>
      <th scope="row"><a href="${address}">${name}</a><small>${words}</small></th>
      <td class="number">${say.count(count)}</td>
    </tr>`;
  const head = (title: string): Html =>
    html`<thead>
      <tr>
        <th scope="col">${title}</th>
        <th scope="col" class="number">${say.differences.paths}</th>
      </tr>
    </thead>`;
  return html`<div class="card">
    <div class="scroll">
      <table>
        ${head(say.differences.why)}
        <tbody>
          ${causes.map((cause) => row(cause, `${link}?cause=${cause}`, say.cause[cause], counts.byCause[cause]))}
        </tbody>
        ${
          classes.length > 0 &&
          html`${head(say.differences.whereFrom)}
            <tbody>
              ${classes.map((one) => row(one, `${link}?class=${one}`, say.class[one], counts.byClass?.[one] ?? 0))}
            </tbody>`
        }
      </table>
    </div>
  </div>`;
}

function listDetails(say: Say, counts: Counts, shown: ShownDifferences): Html {
  const words = say.differences;
  const title = (counts.byClass?.same ?? 0) > 0 ? words.same : counts.byCause.unknown > 0 ? words.unknown : words.all;
  const { shown: rows } = fitting(shown.differences, (difference) => rowOf(say, difference, shown), ROWS_MAX);
  return html`<details${counts.byCause.unknown > 0 && html` open`}><summary>${title} <span class="count">${words.first(say.count(rows.length))}</span></summary><div class="inside scroll"><table>
<thead><tr><th scope="col">${words.path}</th><th scope="col">${words.what}</th><th scope="col">${words.why}</th><th scope="col">${words.whereFrom}</th></tr></thead><tbody>
${rows}
</tbody></table>${leftOut(say, shown.rebuild.explanations)}</div></details>`;
}

function rowOf(say: Say, difference: Difference, shown: ShownDifferences): Html {
  const { path, aspects, cause, class: where, rule, detail, line, explanation } = difference;
  return html`<tr>
      <td><code>${path}</code>${line !== undefined && stepOf(say, shown.rebuild, line)}</td>
      <td>${aspects.join(', ')}</td>
      <td>
        ${cause}${rule !== undefined && html` <code>${rule}</code>`}${detail !== undefined && html`<small>${say.english(detail)}</small>`}
      </td>
      <td>${where !== undefined && html`<span title="${say.class[where]}">${where}</span>`}</td>
    </tr>
    ${
      explanation !== undefined &&
      html`<tr class="more">
        <td colspan="4">
          ${explanationDetails(
            say,
            shown.explanations.get(explanation),
            `${shown.api}/explanations/${explanation}`,
            shown.rebuild.explanations?.tool,
          )}
        </td>
      </tr>`
    }`;
}

/** The step of the Dockerfile that made a file, with its line where that can be read. */
function stepOf(say: Say, { dockerfile, source }: Rebuild, line: number): Html {
  const step = dockerfile?.steps.find((one) => one.line === line)?.text.replaceAll(/\s+/g, ' ') ?? '';
  const href = dockerfile === undefined || source === undefined ? undefined : lineAddress(source, dockerfile.path, line);
  const place = say.differences.line(line);
  return html`<small
    >${href === undefined ? place : html`<a href="${href}">${place}</a>`}${
      step !== '' && html`${say.site.colon}<code>${step.length > STEP_SHOWN ? `${step.slice(0, STEP_SHOWN)}…` : step}</code>`
    }</small
  >`;
}

function leftOut(say: Say, told: Explanations | undefined): Html {
  if (told === undefined) return html``;
  return html`${told.left.map(({ reason, files }) => html`<p class="soft">${say.differences.left(files, say.count(files), say.english(reason))}</p>`)}
  ${told.files.length > 0 && told.tool === undefined && html`<p class="soft">${say.differences.noTool}</p>`}`;
}

function packagesDetails(say: Say, { packages: { listed, more } }: Explanations): Html {
  if (listed.length === 0) return html``;
  const words = say.differences;
  const version = (text: string | undefined): Html =>
    text === undefined ? html`<span class="soft">${words.notThere}</span>` : html`<code>${text}</code>`;
  const row = ({ name, architecture, rebuilt, published }: DifferingPackage): Html =>
    html`<tr>
      <td>${name}:${architecture}</td>
      <td>${version(rebuilt)}</td>
      <td>${version(published)}</td>
    </tr>`;
  const { shown } = fitting(listed, row, PACKAGES_MAX);
  return html`<details>
    <summary>${words.packages} <span class="count">${say.count(listed.length + more)}</span></summary>
    <div class="inside scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.package}</th>
            <th scope="col">${words.rebuilt}</th>
            <th scope="col">${words.published}</th>
          </tr>
        </thead>
        <tbody>
          ${shown}
        </tbody>
      </table>
      ${more + listed.length > shown.length && html`<p class="soft">${words.more(say.count(more + listed.length - shown.length))}</p>`}
    </div>
  </details>`;
}
