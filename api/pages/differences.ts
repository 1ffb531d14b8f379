import type { Digest } from '../../src/model/digest.ts';
import type { Explanation, Explanations } from '../../src/model/explanation.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Difference, DifferenceClass } from '../../src/model/verdict.ts';
import { lineAddress } from '../../src/steps/line-address.ts';
import { countText } from '../text.ts';
import { explanationDetails } from './explanation.ts';
import { html, type Html } from './html.ts';
import { CAUSE_WORDS, CLASS_WORDS } from './words.ts';

const STEP_SHOWN = 140; // characters of a step

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

export function differencesSection(counts: Counts, shown: ShownDifferences): Html {
  const { explanations: told } = shown.rebuild;
  return html`<section aria-labelledby="differences">
    <h2 id="differences">Published against rebuilt <span class="count">${countText(counts.total)}</span></h2>
    ${counts.total === 0 && html`<p class="soft">No difference.</p>`} ${countsCard(counts, `${shown.api}/differences`)}
    ${shown.differences.length > 0 && listDetails(counts, shown)} ${told !== undefined && packagesDetails(told)}
  </section>`;
}

function countsCard(counts: Counts, link: string): Html {
  const causes = (Object.keys(CAUSE_WORDS) as Difference['cause'][]).filter((cause) => (counts.byCause[cause] ?? 0) > 0);
  const classes = (Object.keys(CLASS_WORDS) as DifferenceClass[]).filter((one) => (counts.byClass?.[one] ?? 0) > 0);
  if (causes.length === 0) return html``;
  const row = (name: string, address: string, words: string, count: number): Html =>
    html`<tr>
      <th scope="row"><a href="${address}">${name}</a><small>${words}</small></th>
      <td class="number">${countText(count)}</td>
    </tr>`;
  const head = (title: string): Html =>
    html`<thead>
      <tr>
        <th scope="col">${title}</th>
        <th scope="col" class="number">Paths</th>
      </tr>
    </thead>`;
  return html`<div class="card">
    <div class="scroll">
      <table>
        ${head('Why')}
        <tbody>
          ${causes.map((cause) => row(cause, `${link}?cause=${cause}`, CAUSE_WORDS[cause], counts.byCause[cause]))}
        </tbody>
        ${
          classes.length > 0 &&
          html`${head('Where from')}
            <tbody>
              ${classes.map((one) => row(one, `${link}?class=${one}`, CLASS_WORDS[one], counts.byClass?.[one] ?? 0))}
            </tbody>`
        }
      </table>
    </div>
  </div>`;
}

function listDetails(counts: Counts, shown: ShownDifferences): Html {
  const title =
    (counts.byClass?.same ?? 0) > 0 ? 'As no build of ours makes it' : counts.byCause.unknown > 0 ? 'Without a known cause' : 'Differences';
  return html`<details${counts.byCause.unknown > 0 && html` open`}><summary>${title} <span class="count">the first ${shown.differences.length}</span></summary><div class="inside scroll"><table>
<thead><tr><th scope="col">Path</th><th scope="col">What differs</th><th scope="col">Why</th><th scope="col">Where from</th></tr></thead><tbody>
${shown.differences.map((difference) => rowOf(difference, shown))}
</tbody></table>${leftOut(shown.rebuild.explanations)}</div></details>`;
}

function rowOf(difference: Difference, shown: ShownDifferences): Html {
  const { path, aspects, cause, class: where, rule, detail, line, explanation } = difference;
  return html`<tr>
      <td><code>${path}</code>${line !== undefined && stepOf(shown.rebuild, line)}</td>
      <td>${aspects.join(', ')}</td>
      <td>${cause}${rule !== undefined && html` <code>${rule}</code>`}${detail !== undefined && html`<small>${detail}</small>`}</td>
      <td>${where !== undefined && html`<span title="${CLASS_WORDS[where]}">${where}</span>`}</td>
    </tr>
    ${
      explanation !== undefined &&
      html`<tr class="more">
        <td colspan="4">
          ${explanationDetails(
            shown.explanations.get(explanation),
            `${shown.api}/explanations/${explanation}`,
            shown.rebuild.explanations?.tool,
          )}
        </td>
      </tr>`
    }`;
}

/** The step of the Dockerfile that made a file, with its line where that can be read. */
function stepOf({ dockerfile, source }: Rebuild, line: number): Html {
  const step = dockerfile?.steps.find((one) => one.line === line)?.text.replaceAll(/\s+/g, ' ') ?? '';
  const href = dockerfile === undefined || source === undefined ? undefined : lineAddress(source, dockerfile.path, line);
  const place = `Dockerfile line ${line}`;
  return html`<small
    >${href === undefined ? place : html`<a href="${href}">${place}</a>`}${
      step !== '' && html`: <code>${step.length > STEP_SHOWN ? `${step.slice(0, STEP_SHOWN)}…` : step}</code>`
    }</small
  >`;
}

function leftOut(told: Explanations | undefined): Html {
  if (told === undefined) return html``;
  return html`${told.left.map(({ reason, files }) => html`<p class="soft">${countText(files)} ${files === 1 ? 'differing file was' : 'differing files were'} not looked into: ${reason}.</p>`)}
  ${told.files.length > 0 && told.tool === undefined && html`<p class="soft">diffoscope is not installed here: what it would add is missing.</p>`}`;
}

function packagesDetails({ packages: { listed, more } }: Explanations): Html {
  if (listed.length === 0) return html``;
  return html`<details>
    <summary>Packages that differ, by the images’ own databases <span class="count">${countText(listed.length + more)}</span></summary>
    <div class="inside scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Package</th>
            <th scope="col">Rebuilt</th>
            <th scope="col">Published</th>
          </tr>
        </thead>
        <tbody>
          ${listed.map(
            ({ name, architecture, rebuilt, published }) =>
              html`<tr>
                <td>${name}:${architecture}</td>
                <td>${rebuilt === undefined ? html`<span class="soft">not there</span>` : html`<code>${rebuilt}</code>`}</td>
                <td>${published === undefined ? html`<span class="soft">not there</span>` : html`<code>${published}</code>`}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      ${more > 0 && html`<p class="soft">and ${countText(more)} more</p>`}
    </div>
  </details>`;
}
