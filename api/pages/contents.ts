/** One folder of a judged image, or one file with what accounts for it. */
import type { DebianEvidence } from '../../src/model/debian.ts';
import type { LayerSummary } from '../../src/model/inventory.ts';
import type { Statement } from '../../src/model/statement.ts';
import { type AccountLine, type Attribution, ATTRIBUTIONS } from '../../src/model/verdict.ts';
import { type Folder, sumOf } from '../contents-tree.ts';
import { bytesText, countText, shortDigest } from '../text.ts';
import { stackedBar } from './coverage.ts';
import type { PageContent } from './document.ts';
import { chainOf } from './evidence.ts';
import { html, type Html } from './html.ts';
import { pictureOf } from './picture.ts';
import { ATTRIBUTION_WORDS } from './words.ts';

/** Rows of a folder; each takes some 400 bytes of the page. */
const ROWS_SHOWN = 300;

/** Of what a reader looks at: the verdict, and a path in its image without a slash at the end (the root is empty). */
type Place = { statement: Statement; digest: string; path: string };

/** Where a path of a verdict's image is shown. */
export const contentsAddress = (digest: string, path: string): string =>
  `/verdicts/${digest}/contents${path === '' ? '' : `?path=${encodeURIComponent(path)}`}`;

function heading({ statement, digest, path }: Place): Html {
  const names = path.split('/').slice(1);
  return html`<p class="image">
      <a href="/verdicts/${digest}"><code>${statement.predicate.image.reference}</code></a>
    </p>
    <nav class="crumbs" aria-label="Folders">
      <a href="${contentsAddress(digest, '')}"><code>/</code></a
      >${names
        .slice(0, -1)
        .map(
          (name, index) => html`<a href="${contentsAddress(digest, `/${names.slice(0, index + 1).join('/')}`)}"><code>${name}/</code></a>`,
        )}
    </nav>
    <h1><code>${names.at(-1) ?? 'All files'}</code></h1>`;
}

type Row = { name: string; path: string; size: number; count?: number; attribution?: Attribution; bar?: Html; unexplained: number };

export function folderPage(place: Place, folder: Folder): PageContent {
  const rows = rowsOf(folder, place.path).sort((a, b) => b.unexplained - a.unexplained || b.size - a.size);
  return {
    title: `${place.path === '' ? '/' : place.path} in ${place.statement.predicate.image.reference}`,
    body: html`${heading(place)}
      <p class="soft">
        ${countText(sumOf(folder.files))} files, ${bytesText(sumOf(folder.bytes))}.
        ${folder.own !== undefined && html`The folder itself: ${tag(folder.own)}`}
      </p>
      ${pictureOf(folder, place.path, (path) => contentsAddress(place.digest, path))} ${legend(folder.files)}
      <div class="card scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Account</th>
              <th scope="col" class="number optional">Files</th>
              <th scope="col" class="number">Size</th>
            </tr>
          </thead>
          <tbody>
            ${rows.slice(0, ROWS_SHOWN).map(
              ({ name, path, size, count, attribution, bar }) =>
                html`<tr>
                  <td>
                    <a href="${contentsAddress(place.digest, path)}"><code>${name}</code></a>
                  </td>
                  <td>${attribution === undefined ? bar : tag(attribution)}</td>
                  <td class="number optional">${count === undefined ? '' : countText(count)}</td>
                  <td class="number">${bytesText(size)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
        ${rows.length > ROWS_SHOWN && html`<p class="soft">The ${ROWS_SHOWN} that matter most; there are ${countText(rows.length - ROWS_SHOWN)} more.</p>`}
      </div>`,
  };
}

function rowsOf(folder: Folder, path: string): Row[] {
  const folders = [...folder.folders.values()].map(({ name, files, bytes }): Row => ({
    name: `${name}/`,
    path: `${path}/${name}`,
    size: sumOf(bytes),
    count: sumOf(files),
    bar: stackedBar(
      files,
      ATTRIBUTIONS.flatMap((one) => (files[one] === 0 ? [] : `${ATTRIBUTION_WORDS[one].name}: ${files[one]}`)).join(', '),
      true,
    ),
    unexplained: files.unexplained,
  }));
  const leaves = folder.leaves.map(({ name, size, attribution }): Row => ({
    name,
    path: `${path}/${name}`,
    size,
    attribution,
    unexplained: attribution === 'unexplained' ? 1 : 0,
  }));
  return [...folders, ...leaves];
}

/** What the colours of a picture mean, for those that are in it. */
export function legend(counts: Record<Attribution, number>): Html {
  return html`<ul class="legend">
    ${ATTRIBUTIONS.filter((name) => counts[name] > 0).map(
      (name) =>
        html`<li>
          <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${name}" width="10" height="10" /></svg
          >${ATTRIBUTION_WORDS[name].name}
        </li>`,
    )}
  </ul>`;
}

function tag(attribution: Attribution): Html {
  return html`<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${attribution}" width="10" height="10" /></svg
    >${ATTRIBUTION_WORDS[attribution].name}`;
}

export function filePage(place: Place, line: AccountLine, layers: LayerSummary[], packages: DebianEvidence | undefined): PageContent {
  const layer = layers[line.layer];
  const words = ATTRIBUTION_WORDS[line.attribution];
  return {
    title: `${line.path} in ${place.statement.predicate.image.reference}`,
    body: html`${heading(place)}
      <div class="card">
        <p>${tag(line.attribution)}: ${words.means}.</p>
        <dl class="evidence">
          <dt>kind</dt>
          <dd>${line.kind}${line.code && ', counted among the executables'}</dd>
          <dt>size</dt>
          <dd>${bytesText(line.size)}</dd>
          ${
            line.digest !== undefined &&
            html`<dt>SHA-256</dt>
              <dd><code>${line.digest}</code></dd>`
          }
          <dt>layer</dt>
          <dd>
            <a href="/verdicts/${place.digest}#layer-${line.layer}">${line.layer + 1}</a>${
              layer !== undefined &&
              html` <code title="${layer.digest}">${shortDigest(layer.digest)}</code> <code>${layer.createdBy}</code>`
            }
          </dd>
        </dl>
      </div>
      <section aria-labelledby="chain">
        <h2 id="chain">What accounts for it</h2>
        <ol class="chain">
          ${chainOf(line, place.statement.predicate, packages).map((link) => html`<li>${link}</li>`)}
        </ol>
        ${line.digest !== undefined && html`<p><a href="/v1/images?file=${line.digest}">Which other images hold this file</a></p>`}
      </section>`,
  };
}
