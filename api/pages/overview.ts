import type { Verification } from '../../src/model/verification.ts';
import { drawBadge } from '../../src/steps/draw-badge.ts';
import { shortDigest } from '../text.ts';
import { stackedBar } from './coverage.ts';
import type { PageContent } from './document.ts';
import { html, type Html } from './html.ts';
import { AUDITABLE_WORDS, RESULT_WORDS } from './words.ts';

export function overviewPage(items: Verification[], next: string | undefined): PageContent {
  return {
    title: 'Recent verdicts',
    body: html`<h1>Recent verdicts</h1>
      <p class="soft">Published images, rebuilt from their source and accounted for file by file.</p>
      ${searchForm('')} ${items.length === 0 ? emptyState() : verificationsTable(items)}
      ${next !== undefined && html`<p><a href="/?cursor=${encodeURIComponent(next)}">Older</a></p>`}`,
  };
}

export function searchForm(query: string): Html {
  return html`<form class="search" action="/search" role="search">
    <label for="q">Find an image, a digest, a package or a file</label>
    <input id="q" name="q" type="search" value="${query}" maxlength="512" placeholder="example/app, sha256:…, openssl" required />
    <button>Search</button>
  </form>`;
}

export function verificationsTable(items: Verification[]): Html {
  return html`<div class="card scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">Image</th>
          <th scope="col">Answer</th>
          <th scope="col" class="optional">Rebuild</th>
          <th scope="col" class="optional">Files</th>
          <th scope="col" class="number">Asked</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(row)}
      </tbody>
    </table>
  </div>`;
}

function row(verification: Verification): Html {
  const { id, image, verdict, createdAt } = verification;
  const answer = verdict === undefined ? undefined : AUDITABLE_WORDS[verdict.auditable];
  return html`<tr>
    <td>
      <a href="/verifications/${id}"><code>${image.reference}</code></a
      ><small title="${image.digest}">${shortDigest(image.digest)}</small>
    </td>
    <td><span class="tag ${answer?.tone}">${answer?.value ?? drawBadge(verification).message}</span></td>
    <td class="optional">${verdict !== undefined && RESULT_WORDS[verdict.result].value}</td>
    <td class="optional">${verdict !== undefined && stackedBar(verdict.coverage.files, 'files by where they come from', true)}</td>
    <td class="number"><time datetime="${createdAt}">${createdAt.slice(0, 16).replace('T', ' ')}</time></td>
  </tr>`;
}

function emptyState(): Html {
  return html`<div class="card">
    <p>Nothing was judged yet. Ask for the first verdict:</p>
    <pre tabindex="0">scripts/conforme verify nginx --git https://example.org/app.git</pre>
  </div>`;
}
