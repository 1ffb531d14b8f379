import { type ProblemCode, PROBLEMS } from '../../src/problem.ts';
import type { PageContent } from './document.ts';
import { html } from './html.ts';
import type { Say } from './words/index.ts';

export function problemsPage(say: Say): PageContent {
  const codes = Object.keys(PROBLEMS).sort() as ProblemCode[];
  return {
    title: say.problems.title,
    body: html`<h1>${say.problems.title}</h1>
      <p>${say.problems.lead}</p>
      <dl class="problems">
        ${codes.map((code) => {
          const { title, advice } = say.problem(code);
          return html`<div id="${code}">
            <dt>
              <code>${code}</code>
              <span class="tag">${PROBLEMS[code].status}</span
              >${PROBLEMS[code].retryable && html` <span class="tag">${say.problems.retry}</span>`}
            </dt>
            <dd><strong>${title}.</strong> ${advice}</dd>
          </div>`;
        })}
      </dl>`,
  };
}
