import type { Digest } from '../../src/model/digest.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import type { LayerSummary } from '../../src/model/inventory.ts';
import { parseReference } from '../../src/model/reference.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Attribution, Difference, Verdict } from '../../src/model/verdict.ts';
import type { VerdictRecord, Verification } from '../../src/model/verification.ts';
import type { Delivery } from '../../src/ports.ts';
import { percentage } from '../../src/steps/draw-badge.ts';
import type { Folder } from '../contents-tree.ts';
import { shortDigest } from '../text.ts';
import { deliveryView } from '../views.ts';
import { coverageSection } from './coverage.ts';
import { contentsAddress, legend } from './contents.ts';
import { differencesSection } from './differences.ts';
import type { PageContent } from './document.ts';
import { findingsSection } from './findings.ts';
import { html, type Html } from './html.ts';
import { pictureOf } from './picture.ts';
import { copiesSection, layersSection, packagesSection, rebuildSection } from './rebuild.ts';
import { checkSection } from './signed.ts';
import { AUDITABLE_WORDS, REASON_WORDS, RESULT_WORDS, STEP_WORDS, type Tone } from './words.ts';

/** What the page of a verdict shows beside the verification itself. What could not be read is empty. */
export type VerdictDetails = {
  record: VerdictRecord;
  statement: Statement;
  rebuild: Rebuild | undefined;
  layers: LayerSummary[];
  lastLog: string[];
  differences: Difference[];
  explanations: ReadonlyMap<Digest, Explanation>;
  fingerprint: string;
  tree: Folder | undefined;
};

export type VerificationPage = {
  publicUrl: string;
  verification: Verification;
  details: VerdictDetails | undefined;
  deliveries: Delivery[];
};

export function verificationPage(page: VerificationPage): PageContent {
  const { verification } = page;
  const title = verification.image.reference;
  if (page.details !== undefined && verification.verdict !== undefined) return { title, body: donePage(page, page.details) };
  if (verification.status === 'failed') return { title, body: failedPage(page) };
  return { title, body: runningPage(page), live: true, refresh: 10 };
}

function imageLine({ image }: Verification): Html {
  const { registry, repository } = parseReference(image.reference);
  return html`<p class="image"><code>${image.reference}</code> <a href="/history/${registry}/${repository}">history</a></p>`;
}

function imageFacts({ image, createdAt }: Verification, more: Html = html``): Html {
  return html`<dl class="facts">
    <div>
      <dt>digest</dt>
      <dd><code title="${image.digest}">${shortDigest(image.digest)}</code></dd>
    </div>
    <div>
      <dt>platform</dt>
      <dd>${[image.platform.os, image.platform.architecture, image.platform.variant].filter(Boolean).join('/')}</dd>
    </div>
    ${more}
    <div>
      <dt>asked</dt>
      <dd>${timeOf(createdAt)}</dd>
    </div>
  </dl>`;
}

/** ISO 8601 for machines, minutes for people; UTC, because the page does not know its reader's zone. */
function timeOf(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function donePage({ publicUrl, verification, deliveries }: VerificationPage, details: VerdictDetails): Html {
  const { id, verdict, verdictDigest = '' } = verification;
  if (verdict === undefined) return html``;
  const { record, statement, rebuild, layers, lastLog, differences, explanations, fingerprint, tree } = details;
  const api = `/v1/verifications/${id}`;
  const answer = AUDITABLE_WORDS[verdict.auditable];
  return html`<div class="card hero ${answer.tone}">
      ${imageLine(verification)}
      <h1>${answer.headline}</h1>
      <p class="lead">${verdict.summary}</p>
      ${runsList(verdict)}
      ${imageFacts(
        verification,
        html`<div>
            <dt>judged</dt>
            <dd>${timeOf(verdict.freshness.judgedAt)}</dd>
          </div>
          <div>
            <dt>signed by</dt>
            <dd><code title="${fingerprint}">${fingerprint.slice(-16)}</code>, <a href="#check">check it</a></dd>
          </div>`,
      )}
    </div>
    ${answersSection(verification)} ${tree !== undefined && pictureSection(tree, verdictDigest)}
    ${findingsSection(verdict, `/v1/verdicts/${verdictDigest}`)} ${coverageSection(verdict, `${api}/files`)}
    ${unexplainedSection(statement, verdict.coverage.files.unexplained, `${api}/files?attribution=unexplained`)}
    ${checkSection(publicUrl, record, fingerprint)}
    ${rebuild?.outcome.status === 'built' && differencesSection(statement.predicate.differences, { differences, explanations, rebuild, api })}
    ${rebuildSection(statement, rebuild, { last: lastLog, link: `${api}/log` })} ${layersSection(layers, statement.predicate.layers)}
    ${packagesSection(statement.predicate, verdict, `/v1/verdicts/${verdictDigest}`)} ${copiesSection(statement.predicate)}
    ${rulesSection(statement)} ${deliveriesSection(deliveries)}`;
}

/** The whole image at a glance; every area leads to its folder or file. */
function pictureSection(tree: Folder, digest: string): Html {
  return html`<section aria-labelledby="picture">
    <h2 id="picture">The whole image</h2>
    ${pictureOf(tree, '', (path) => contentsAddress(digest, path))} ${legend(tree.files)}
    <p><a href="${contentsAddress(digest, '')}">Look through the files</a></p>
  </section>`;
}

/** Which programs a container runs, and whose they are: a line each. */
function runsList({ runs = [] }: Verdict): Html {
  if (runs.length === 0) return html``;
  return html`<ul class="runs" aria-label="What it runs">
    ${runs.map(({ command, path, statement, attribution }) => html`<li><span class="tag ${toneOfRun(attribution)}">runs</span> <code>${path ?? command}</code> ${statement}</li>`)}
  </ul>`;
}

function toneOfRun(attribution: Attribution | undefined): Tone {
  if (attribution === undefined) return 'none';
  return attribution === 'unexplained' ? 'bad' : attribution === 'rebuilt' || attribution === 'volatile' ? 'fair' : 'good';
}

/** The four answers of a verdict; they are never folded into one. */
function answersSection({ verdict }: Verification): Html {
  if (verdict === undefined) return html``;
  const { result, reason, auditable, coverage, findings, freshness } = verdict;
  const words = RESULT_WORDS[result];
  const grave = findings.filter(({ severity }) => severity === 'critical' || severity === 'high').length;
  const card = (title: string, value: string, tone: string, means: string): Html =>
    html`<div class="card">
      <h2>${title}</h2>
      <p class="value ${tone}">${value}</p>
      <p>${means}</p>
    </div>`;
  const accounted = coverage.accounted === 1 ? 'good' : auditable === 'no' ? 'bad' : 'fair';
  return html`<section class="answers" aria-label="The four answers">
    ${card('Rebuild', words.value, words.tone, reason === undefined ? words.means : REASON_WORDS[reason])}
    ${card('Coverage', percentage(coverage.accounted), accounted, 'of the files are accounted for by something stronger than our rebuild.')}
    ${card('Findings', String(findings.length), grave > 0 ? 'bad' : findings.length > 0 ? 'fair' : 'good', grave > 0 ? `${grave} of them critical or high.` : 'None of them critical or high.')}
    ${card('Freshness', freshness.judgedAt.slice(0, 10), 'none', `Rules ${freshness.rules}, policy ${freshness.policy}.`)}
  </section>`;
}

function unexplainedSection({ predicate }: Statement, count: number, link: string): Html {
  const paths = predicate.unexplained;
  if (paths.length === 0) return html``;
  const SHOWN = 100;
  return html`<section aria-labelledby="unexplained">
    <h2 id="unexplained">Files that nothing accounts for <span class="count">${count}</span></h2>
    <div class="card">
      <ul class="paths">
        ${paths.slice(0, SHOWN).map((path) => html`<li><code>${path}</code></li>`)}
      </ul>
      ${count > SHOWN && html`<p><a href="${link}">All ${count}</a></p>`}
    </div>
  </section>`;
}

function rulesSection({ predicate }: Statement): Html {
  if (predicate.rules.length === 0) return html``;
  return html`<section aria-labelledby="rules">
    <h2 id="rules">Rules in force <span class="count">${predicate.rules.length}</span></h2>
    <details>
      <summary>What each may excuse, and why</summary>
      <div class="inside scroll">
        <table>
          <tbody>
            ${predicate.rules.map(
              ({ name, version, reason }) =>
                html`<tr>
                  <th scope="row"><code>${name}@${version}</code></th>
                  <td>${reason}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

function deliveriesSection(deliveries: Delivery[]): Html {
  if (deliveries.length === 0) return html``;
  const rows = deliveries.map((delivery) => {
    const { url, event, status, attempts } = deliveryView(delivery, false);
    const last = attempts.at(-1);
    const tone = status === 'delivered' ? 'good' : status === 'failed' ? 'bad' : 'none';
    return html`<tr>
      <td><code>${url}</code></td>
      <td>${event}</td>
      <td><span class="tag ${tone}">${status}</span></td>
      <td>
        ${attempts.length}
        ${attempts.length === 1 ? 'attempt' : 'attempts'}${
          last !== undefined && html`<small>last ${timeOf(last.at)}: ${last.status ?? last.error ?? ''}</small>`
        }
      </td>
    </tr>`;
  });
  return html`<section aria-labelledby="deliveries">
    <h2 id="deliveries">Webhook</h2>
    <div class="card scroll">
      <table>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}

function failedPage({ verification, deliveries }: VerificationPage): Html {
  const { problem } = verification;
  return html`<div class="card hero none">
      ${imageLine(verification)}
      <h1>There is no verdict on this image.</h1>
      <p class="lead">The work could not be finished. That says nothing about the image; asking again starts anew.</p>
      ${imageFacts(verification)}
    </div>
    ${
      problem !== undefined &&
      html`<section aria-labelledby="problem">
        <h2 id="problem">${problem.title}</h2>
        <div class="card">
          <p>${problem.detail}</p>
          <p>
            Code <a href="/docs/problems#${problem.code}"><code>${problem.code}</code></a>
          </p>
        </div>
      </section>`
    }${deliveriesSection(deliveries)}`;
}

function runningPage({ verification }: VerificationPage): Html {
  const { id, status, step } = verification;
  return html`<div class="card hero none">
      ${imageLine(verification)}
      <h1>${status === 'queued' ? 'Waiting for a free worker.' : 'This image is being judged.'}</h1>
      <p class="lead">The answer appears here when it is there, mostly within minutes.</p>
      ${imageFacts(verification)}
    </div>
    <section id="live" data-events="/v1/verifications/${id}/events" aria-label="Progress" aria-live="polite">
      <h2>Steps</h2>
      <ol class="steps">
        ${STEP_WORDS.map(({ step: each, name }) => html`<li id="step-${each}" ${each === step && html` class="begun current" aria-current="step"`}>${name}<time></time></li>`)}
      </ol>
    </section>
    <section aria-labelledby="log-title">
      <h2 id="log-title">Build log</h2>
      <pre class="log" id="log" tabindex="0" hidden></pre>
      <p class="soft until">Lines appear here while the build runs.</p>
    </section>`;
}
