/** A verification that has no verdict: it waits, it runs, or it could not be finished. */
import type { Delivery } from '../../src/ports.ts';
import { type ProblemCode, PROBLEMS } from '../../src/problem.ts';
import type { Verification } from '../../src/model/verification.ts';
import { deliveriesSection } from './deliveries.ts';
import { html, type Html } from './html.ts';
import { imageFacts, imageLine } from './image.ts';
import type { Say } from './words/index.ts';

export function failedPage(say: Say, verification: Verification, deliveries: Delivery[]): Html {
  const { problem } = verification;
  return html`<div class="card hero none">
      ${imageLine(say, verification)}
      <h1>${say.verdict.failedTitle}</h1>
      <p class="lead">${say.verdict.failedLead}</p>
      ${imageFacts(say, verification)}
    </div>
    ${problem !== undefined && problemSection(say, problem)}${deliveriesSection(say, deliveries)}`;
}

function problemSection(say: Say, { code, title: given, detail }: NonNullable<Verification['problem']>): Html {
  // One that an earlier version stored may have a code that there is no longer.
  const { title, advice = '' } = Object.hasOwn(PROBLEMS, code) ? say.problem(code as ProblemCode) : { title: given };
  return html`<section aria-labelledby="problem">
    <h2 id="problem">${title}</h2>
    <div class="card">
      <p>${say.english(detail)}</p>
      <p>${advice}</p>
      <p>
        ${say.verdict.code} <a href="${say.to(`/docs/problems#${code}`)}"><code>${code}</code></a>
      </p>
    </div>
  </section>`;
}

export function runningPage(say: Say, verification: Verification): Html {
  const { id, status, step } = verification;
  const words = say.verdict;
  return html`<div class="card hero none">
      ${imageLine(say, verification)}
      <h1>${status === 'queued' ? words.queuedTitle : words.runningTitle}</h1>
      <p class="lead">${words.runningLead}</p>
      ${imageFacts(say, verification)}
    </div>
    <section id="live" data-events="/v1/verifications/${id}/events" aria-label="${words.progress}" aria-live="polite">
      <h2>${words.steps}</h2>
      <ol class="steps">
        ${say.steps.map(({ step: each, name }) => html`<li id="step-${each}" ${each === step && html` class="begun current" aria-current="step"`}>${name}<time></time></li>`)}
      </ol>
    </section>
    <section aria-labelledby="log-title">
      <h2 id="log-title">${words.buildLog}</h2>
      <pre class="log" id="log" tabindex="0" hidden></pre>
      <p class="soft until">${words.logToCome}</p>
    </section>`;
}
