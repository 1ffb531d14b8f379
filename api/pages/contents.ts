/** One folder of a judged image, or one file with what accounts for it. */
import type { DebianEvidence } from '../../src/model/debian.ts';
import type { FileKind, LayerSummary } from '../../src/model/inventory.ts';
import type { Statement } from '../../src/model/statement.ts';
import { type AccountLine, type Attribution, ATTRIBUTIONS } from '../../src/model/verdict.ts';
import { type Folder, sumOf } from '../contents-tree.ts';
import { shortDigest } from '../text.ts';
import { stackedBar } from './coverage.ts';
import type { PageContent } from './document.ts';
import { chainOf } from './evidence.ts';
import { fitting, html, type Html } from './html.ts';
import { pictureOf } from './picture.ts';
import type { Say } from './words/index.ts';

/** Characters of the rows of a folder, some 400 each. */
const ROWS_MAX = 110_000;

/**
 * Of what a reader looks at: the verdict, a path in its image without a slash at the end (the root is empty), and the layer where only
 * what one layer put there is looked at, from 0 for the lowest.
 */
type Place = { statement: Statement; digest: string; path: string; layer: number | undefined };

/** Where a path of a verdict's image is shown. */
export function contentsAddress(say: Say, digest: string, path: string, layer?: number): string {
  const query = [
    ...(path === '' ? [] : [`path=${encodeURIComponent(path).replaceAll('%2F', '/')}`]),
    ...(layer === undefined ? [] : [`layer=${layer}`]),
  ];
  return say.to(`/verdicts/${digest}/contents${query.length === 0 ? '' : `?${query.join('&')}`}`);
}

function heading(say: Say, { statement, digest, path, layer }: Place): Html {
  const names = path.split('/').slice(1);
  return html`<p class="image">
      <a href="${say.to(`/verdicts/${digest}`)}"><code>${statement.predicate.image.reference}</code></a>
    </p>
    <nav class="crumbs" aria-label="${say.contents.folders}">
      <a href="${contentsAddress(say, digest, '', layer)}"><code>/</code></a
      >${names
        .slice(0, -1)
        .map(
          (name, index) =>
            html`<a href="${contentsAddress(say, digest, `/${names.slice(0, index + 1).join('/')}`, layer)}"><code>${name}/</code></a>`,
        )}
    </nav>
    <h1>
      ${names.length === 0 ? (layer === undefined ? say.contents.allFiles : say.layers.filesOf(layer + 1)) : html`<code>${names.at(-1)}</code>`}
    </h1>
    ${
      layer !== undefined &&
      html`<p>
        ${say.contents.onlyLayer(html`<a href="${say.to(`/verdicts/${digest}#layer-${layer}`)}">${layer + 1}</a>`)}
        <a href="${contentsAddress(say, digest, path)}">${say.contents.allLayers}</a>
      </p>`
    }`;
}

type Row = { name: string; path: string; size: number; count?: number; attribution?: Attribution; bar?: Html; unexplained: number };

export function folderPage(say: Say, place: Place, folder: Folder): PageContent {
  const rows = rowsOf(say, folder, place.path).sort((a, b) => b.unexplained - a.unexplained || b.size - a.size);
  const { shown, rest } = fitting(rows, (row) => rowOf(say, place, row), ROWS_MAX);
  return {
    title: say.contents.title(place.path === '' ? '/' : place.path, place.statement.predicate.image.reference),
    body: html`${heading(say, place)}
      <p class="soft">
        ${say.contents.sum(sumOf(folder.files), say.count(sumOf(folder.files)), say.bytes(sumOf(folder.bytes)))}
        ${folder.own !== undefined && html`${say.contents.itself} ${tag(say, folder.own)}`}
      </p>
      ${pictureOf(say, folder, place.path, (path) => contentsAddress(say, place.digest, path, place.layer))} ${legend(say, folder.files)}
      <div class="card scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${say.contents.name}</th>
              <th scope="col">${say.contents.account}</th>
              <th scope="col" class="number optional">${say.contents.files}</th>
              <th scope="col" class="number">${say.contents.size}</th>
            </tr>
          </thead>
          <tbody>
            ${shown}
          </tbody>
        </table>
        ${rest > 0 && html`<p class="soft">${say.contents.more(say.count(shown.length), say.count(rest))}</p>`}
      </div>`,
  };
}

function rowOf(say: Say, place: Place, { name, path, size, count, attribution, bar }: Row): Html {
  return html`<tr>
    <td>
      <a href="${contentsAddress(say, place.digest, path, place.layer)}"><code>${name}</code></a>
    </td>
    <td>${attribution === undefined ? bar : tag(say, attribution)}</td>
    <td class="number optional">${count === undefined ? '' : say.count(count)}</td>
    <td class="number">${say.bytes(size)}</td>
  </tr>`;
}

function rowsOf(say: Say, folder: Folder, path: string): Row[] {
  const folders = [...folder.folders.values()].map(({ name, files, bytes }): Row => ({
    name: `${name}/`,
    path: `${path}/${name}`,
    size: sumOf(bytes),
    count: sumOf(files),
    bar: stackedBar(
      say,
      files,
      ATTRIBUTIONS.flatMap((one) => (files[one] === 0 ? [] : say.picture.count(say.attribution[one].name, say.count(files[one])))).join(
        ', ',
      ),
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
export function legend(say: Say, counts: Record<Attribution, number>): Html {
  return html`<ul class="legend">
    ${ATTRIBUTIONS.filter((name) => counts[name] > 0).map(
      (name) =>
        html`<li>
          <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${name}" width="10" height="10" /></svg
          >${say.attribution[name].name}
        </li>`,
    )}
  </ul>`;
}

function tag(say: Say, attribution: Attribution): Html {
  return html`<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${attribution}" width="10" height="10" /></svg
    >${say.attribution[attribution].name}`;
}

export function filePage(
  say: Say,
  place: Place,
  line: AccountLine,
  layers: LayerSummary[],
  packages: DebianEvidence | undefined,
): PageContent {
  const layer = layers[line.layer];
  const words = say.attribution[line.attribution];
  return {
    title: say.contents.title(line.path, place.statement.predicate.image.reference),
    body: html`${heading(say, place)}
      <div class="card">
        <p>${tag(say, line.attribution)}${say.site.colon}${words.means}.</p>
        <dl class="evidence">
          <dt>${say.contents.kind}</dt>
          <dd>${say.kind[line.kind as FileKind] ?? line.kind}${line.code && say.contents.executable}</dd>
          <dt>${say.contents.fileSize}</dt>
          <dd>${say.bytes(line.size)}</dd>
          ${
            line.digest !== undefined &&
            html`<dt>SHA-256</dt>
              <dd><code>${line.digest}</code></dd>`
          }
          <dt>${say.contents.layer}</dt>
          <dd>
            <a href="${say.to(`/verdicts/${place.digest}#layer-${line.layer}`)}">${line.layer + 1}</a>${
              layer !== undefined &&
              html` <code title="${layer.digest}">${shortDigest(layer.digest)}</code> <code>${layer.createdBy}</code>`
            }
          </dd>
        </dl>
      </div>
      <section aria-labelledby="chain">
        <h2 id="chain">${say.contents.accounts}</h2>
        <ol class="chain">
          ${chainOf(say, line, place.statement.predicate, packages).map((link) => html`<li>${link}</li>`)}
        </ol>
        ${line.digest !== undefined && html`<p><a href="/v1/images?file=${line.digest}">${say.contents.others}</a></p>`}
      </section>`,
  };
}
