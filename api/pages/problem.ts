import type { Problem } from '../../src/problem.ts';
import type { PageContent } from './document.ts';
import { html } from './html.ts';

/** What a browser gets in place of a problem document. */
export function problemPage({ title, status, detail, code }: ReturnType<Problem['toDocument']>): PageContent {
  return {
    title,
    body: html`<div class="card hero none">
      <h1>${title}</h1>
      <p class="lead">${detail}</p>
      <p class="soft">
        ${status} · <a href="/docs/problems#${code}"><code>${code}</code></a>
      </p>
    </div>`,
  };
}
