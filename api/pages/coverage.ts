import { type Attribution, ATTRIBUTIONS, type Verdict } from '../../src/model/verdict.ts';
import { html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

type Counts = Record<Attribution, number>;
const sum = (counts: Counts): number => ATTRIBUTIONS.reduce((total, name) => total + counts[name], 0);
// Percent; so that a single file among a hundred thousand is still seen.
const LEAST_WIDTH = 0.4;
const LEAST_WIDTH_THIN = 4;

/** A stacked bar. Its widths are attributes, not styles, because the content security policy forbids inline styles. */
export function stackedBar(say: Say, counts: Counts, label: string, thin = false): Html {
  const total = sum(counts);
  if (total === 0) return html``;
  const widths = ATTRIBUTIONS.map((name) =>
    counts[name] === 0 ? 0 : Math.max((100 * counts[name]) / total, thin ? LEAST_WIDTH_THIN : LEAST_WIDTH),
  );
  const scale = 100 / widths.reduce((a, b) => a + b, 0);
  let x = 0;
  const parts = ATTRIBUTIONS.map((name, index) => {
    const width = (widths[index] ?? 0) * scale;
    const part = html`<rect class="f-${name}" x="${x.toFixed(3)}" width="${width.toFixed(3)}" height="10"
      ><title>${say.picture.count(say.attribution[name].name, say.count(counts[name]))}</title></rect
    >`;
    x += width;
    return width > 0 && part;
  });
  return html`<svg class="bar${thin && ' thin'}" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${label}">
    ${parts}
  </svg>`;
}

export function coverageSection(say: Say, { coverage }: Verdict, filesLink: string): Html {
  const words = say.coverage;
  const { files, bytes, executables } = coverage;
  const absent = ATTRIBUTIONS.filter((name) => files[name] === 0);
  const rows = ATTRIBUTIONS.filter((name) => files[name] > 0).map((name) => {
    const { name: title, means } = say.attribution[name];
    return html`<tr>
      <th scope="row">
        <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${name}" width="10" height="10" /></svg
        ><a href="${filesLink}?attribution=${name}">${title}</a><small>${means}</small>
      </th>
      <td class="number">${say.count(files[name])}</td>
      <td class="number optional">${say.bytes(bytes[name])}</td>
      <td class="number">${say.count(executables[name])}</td>
    </tr>`;
  });
  return html`<section aria-labelledby="coverage">
    <h2 id="coverage">${words.title}</h2>
    <div class="card">
      <p class="caption">${words.byFiles}</p>
      ${stackedBar(say, files, words.barFiles)}
      <p class="caption">${words.byBytes}</p>
      ${stackedBar(say, bytes, words.barBytes)}
      <p class="caption">${words.byExecutables}</p>
      ${stackedBar(say, executables, words.barExecutables)}
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${words.account}</th>
              <th scope="col" class="number">${words.files}</th>
              <th scope="col" class="number optional">${words.bytes}</th>
              <th scope="col" class="number">${words.executables}</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
            <tr>
              <th scope="row">${words.together}</th>
              <td class="number">${say.count(sum(files))}</td>
              <td class="number optional">${say.bytes(sum(bytes))}</td>
              <td class="number">${say.count(sum(executables))}</td>
            </tr>
          </tbody>
        </table>
      </div>
      ${absent.length > 0 && html`<p class="soft">${words.noneOf(absent.map((name) => say.attribution[name].name).join(', '))}</p>`}
    </div>
  </section>`;
}
