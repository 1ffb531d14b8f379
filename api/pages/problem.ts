import type { Problem } from '../../src/problem.ts';
import type { PageContent } from './document.ts';
import { html } from './html.ts';
import type { Say } from './words/index.ts';

/** What a browser gets in place of a problem document. */
export function problemPage(say: Say, { status, detail, code }: ReturnType<Problem['toDocument']>): PageContent {
  const { title, advice } = say.problem(code);
  return {
    title,
    body: html`<div class="card hero none">
      <h1>${title}</h1>
      <p class="lead">${say.english(detail)}</p>
      <p>${advice}</p>
      <p class="soft">
        ${status} · <a href="${say.to(`/docs/problems#${code}`)}"><code>${code}</code></a>
      </p>
    </div>`,
  };
}
