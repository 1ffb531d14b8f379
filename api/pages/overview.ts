import type { Verification } from '../../src/model/verification.ts';
import { shortDigest } from '../text.ts';
import { stackedBar } from './coverage.ts';
import type { PageContent } from './document.ts';
import { html, type Html } from './html.ts';
import { AUDITABLE_TONES } from './tones.ts';
import type { Say } from './words/index.ts';

export function overviewPage(say: Say, items: Verification[], next: string | undefined): PageContent {
  return {
    title: say.overview.title,
    body: html`<h1>${say.overview.title}</h1>
      <p class="soft">${say.overview.lead}</p>
      ${searchForm(say, '')} ${items.length === 0 ? emptyState(say) : verificationsTable(say, items)}
      ${next !== undefined && html`<p><a href="${say.to(`/?cursor=${encodeURIComponent(next)}`)}">${say.site.older}</a></p>`}`,
  };
}

/** A form sends its own fields alone: what was chosen in the address has to be one of them. */
export function languageField({ chosen }: Say): Html {
  return html`${chosen !== undefined && html`<input type="hidden" name="lang" value="${chosen}" />`}`;
}

export function searchForm(say: Say, query: string): Html {
  return html`<form class="search" action="/search" role="search">
    <label for="q">${say.search.label}</label>
    <input id="q" name="q" type="search" value="${query}" maxlength="512" placeholder="example/app, sha256:…, openssl" required />
    ${languageField(say)}
    <button>${say.search.button}</button>
  </form>`;
}

export function verificationsTable(say: Say, items: Verification[]): Html {
  return html`<div class="card scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">${say.overview.image}</th>
          <th scope="col">${say.overview.answer}</th>
          <th scope="col" class="optional">${say.overview.rebuild}</th>
          <th scope="col" class="optional">${say.overview.files}</th>
          <th scope="col" class="number">${say.overview.asked}</th>
        </tr>
      </thead>
      <tbody>
        ${items.map((item) => row(say, item))}
      </tbody>
    </table>
  </div>`;
}

function row(say: Say, verification: Verification): Html {
  const { id, image, status, verdict, createdAt } = verification;
  return html`<tr>
    <td>
      <a href="${say.to(`/verifications/${id}`)}"><code>${image.reference}</code></a
      ><small title="${image.digest}">${shortDigest(image.digest)}</small>
    </td>
    <td>
      ${verdict === undefined ? html`<span class="tag">${say.status[status]}</span>` : html`<span class="tag ${AUDITABLE_TONES[verdict.auditable]}">${say.auditable[verdict.auditable].value}</span>`}
    </td>
    <td class="optional">${verdict !== undefined && say.result[verdict.result].value}</td>
    <td class="optional">${verdict !== undefined && stackedBar(say, verdict.coverage.files, say.overview.filesBar, true)}</td>
    <td class="number">
      <time datetime="${createdAt}">${say.day(createdAt)}<small>${createdAt.slice(11, 16)} UTC</small></time>
    </td>
  </tr>`;
}

function emptyState(say: Say): Html {
  return html`<div class="card">
    <p>${say.overview.empty}</p>
    <pre tabindex="0">scripts/conforme verify nginx --git https://example.org/app.git</pre>
  </div>`;
}
