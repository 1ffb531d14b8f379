import { type Attribution, ATTRIBUTIONS, type Verdict } from '../../src/model/verdict.ts';
import { bytesText, countText } from '../text.ts';
import { html, type Html } from './html.ts';
import { ATTRIBUTION_WORDS } from './words.ts';

type Counts = Record<Attribution, number>;
const sum = (counts: Counts): number => ATTRIBUTIONS.reduce((total, name) => total + counts[name], 0);
// Percent; so that a single file among a hundred thousand is still seen.
const LEAST_WIDTH = 0.4;
const LEAST_WIDTH_THIN = 4;

/** A stacked bar. Its widths are attributes, not styles, because the content security policy forbids inline styles. */
export function stackedBar(counts: Counts, label: string, thin = false): Html {
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
      ><title>${ATTRIBUTION_WORDS[name].name}: ${countText(counts[name])}</title></rect
    >`;
    x += width;
    return width > 0 && part;
  });
  return html`<svg class="bar${thin && ' thin'}" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${label}">
    ${parts}
  </svg>`;
}

export function coverageSection({ coverage }: Verdict, filesLink: string): Html {
  const { files, bytes, executables } = coverage;
  const rows = ATTRIBUTIONS.map((name) => {
    const { name: title, means } = ATTRIBUTION_WORDS[name];
    return html`<tr class="${files[name] === 0 ? 'zero' : ''}">
      <th scope="row">
        <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${name}" width="10" height="10" /></svg>${
          files[name] > 0 ? html`<a href="${filesLink}?attribution=${name}">${title}</a>` : title
        }<small>${means}</small>
      </th>
      <td class="number">${countText(files[name])}</td>
      <td class="number optional">${bytesText(bytes[name])}</td>
      <td class="number">${countText(executables[name])}</td>
    </tr>`;
  });
  return html`<section aria-labelledby="coverage">
    <h2 id="coverage">Where every file comes from</h2>
    <div class="card">
      <p class="caption">By files</p>
      ${stackedBar(files, 'files by where they come from')}
      <p class="caption">By bytes</p>
      ${stackedBar(bytes, 'bytes by where they come from')}
      <p class="caption">Executables and libraries alone</p>
      ${stackedBar(executables, 'executables by where they come from')}
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col" class="number">Files</th>
              <th scope="col" class="number optional">Bytes</th>
              <th scope="col" class="number">Executables</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
            <tr>
              <th scope="row">Together</th>
              <td class="number">${countText(sum(files))}</td>
              <td class="number optional">${bytesText(sum(bytes))}</td>
              <td class="number">${countText(sum(executables))}</td>
            </tr>
          </tbody>
        </table>
      </div>
    </div>
  </section>`;
}
