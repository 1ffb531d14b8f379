import type { Digest } from '../../src/model/digest.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Attribution, Difference, Verdict } from '../../src/model/verdict.ts';
import type { VerdictRecord, Verification } from '../../src/model/verification.ts';
import type { Delivery } from '../../src/ports.ts';
import { lineOfLayers } from '../../src/steps/dockerfile-lines.ts';
import { countsByLayer, type Folder } from '../contents-tree.ts';
import type { LayerStory } from '../stored.ts';
import { coverageSection } from './coverage.ts';
import { contentsAddress, legend } from './contents.ts';
import { differencesSection } from './differences.ts';
import type { PageContent } from './document.ts';
import { deliveriesSection } from './deliveries.ts';
import { findingsSection } from './findings.ts';
import { fitting, html, type Html } from './html.ts';
import { imageFacts, imageLine } from './image.ts';
import { pictureOf } from './picture.ts';
import { layersSection } from './layers.ts';
import { copiesSection, packagesSection, rebuildSection } from './rebuild.ts';
import { failedPage, runningPage } from './progress.ts';
import { checkSection } from './signed.ts';
import { AUDITABLE_TONES, RESULT_TONES, type Tone } from './tones.ts';
import type { Say } from './words/index.ts';

/** Characters of the page. */
const UNEXPLAINED_MAX = 6_000;

/** What the page of a verdict shows beside the verification itself. What could not be read is empty. */
export type VerdictDetails = {
  record: VerdictRecord;
  statement: Statement;
  rebuild: Rebuild | undefined;
  layers: LayerStory[];
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

export function verificationPage(say: Say, page: VerificationPage): PageContent {
  const { verification, deliveries } = page;
  const title = verification.image.reference;
  if (page.details !== undefined && verification.verdict !== undefined) return { title, body: donePage(say, page, page.details) };
  if (verification.status === 'failed') return { title, body: failedPage(say, verification, deliveries) };
  return { title, body: runningPage(say, verification), live: true, refresh: 10 };
}

function donePage(say: Say, { publicUrl, verification, deliveries }: VerificationPage, details: VerdictDetails): Html {
  const { id, verdict, verdictDigest = '' } = verification;
  if (verdict === undefined) return html``;
  const { record, statement, rebuild, lastLog, differences, explanations, fingerprint, tree } = details;
  const { predicate } = statement;
  const api = `/v1/verifications/${id}`;
  const tone = AUDITABLE_TONES[verdict.auditable];
  const facts = html`<div>
      <dt>${say.verdict.judged}</dt>
      <dd>${say.time(verdict.freshness.judgedAt)}</dd>
    </div>
    <div>
      <dt>${say.verdict.signedBy}</dt>
      <dd><code title="${fingerprint}">${fingerprint.slice(-16)}</code>, <a href="#check">${say.verdict.checkIt}</a></dd>
    </div>`;
  return html`<div class="card hero ${tone}">
      ${sealOf(tone)} ${imageLine(say, verification)}
      <h1>${say.auditable[verdict.auditable].headline}</h1>
      <p class="lead">${say.summary(verdict)}</p>
      ${runsList(say, verdict)} ${imageFacts(say, verification, facts)}
    </div>
    ${answersSection(say, verdict)} ${checkSection(say, publicUrl, record, fingerprint)} ${contentsNav(say, verdict, details)}
    ${tree !== undefined && pictureSection(say, tree, verdictDigest)} ${findingsSection(say, verdict, verdictDigest)}
    ${unexplainedSection(say, statement, verdictDigest, verdict.coverage.files.unexplained, `${api}/files?attribution=unexplained`)}
    ${coverageSection(say, verdict, `${api}/files`)} ${layerStrip(say, verdictDigest, details)}
    ${rebuild?.outcome.status === 'built' && differencesSection(say, predicate.differences, { differences, explanations, rebuild, api })}
    ${rebuildSection(say, verdictDigest, statement, rebuild, { last: lastLog, link: `${api}/log` })}
    ${packagesSection(say, predicate, verdict, verdictDigest)} ${copiesSection(say, predicate)}
    ${rulesSection(say, statement, verdictDigest)} ${deliveriesSection(say, deliveries)}`;
}

/** The answer as a mark, for those who do not see its colour. */
function sealOf(tone: Tone): Html {
  const marks: Record<Tone, string> = {
    good: 'm7.8 12 3 3 5.4-6',
    fair: 'M8 12h8',
    bad: 'm8.5 8.5 7 7m0-7-7 7',
    none: 'M12 7.5v5.5m0 3v.2',
  };
  return html`<svg class="seal" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 1.6 20.5 5v6.6c0 5.2-3.5 9.1-8.5 10.8C7 20.7 3.5 16.8 3.5 11.6V5z" />
    <path d="${marks[tone]}" />
  </svg>`;
}

/** The page is long: what it has, and how much of it. */
function contentsNav(say: Say, { findings, coverage }: Verdict, { statement: { predicate }, layers, tree, rebuild }: VerdictDetails): Html {
  const items: [id: string, name: string, count?: number][] = [
    ...(tree === undefined ? [] : [['picture', say.verdict.picture] as [string, string]]),
    ['findings', say.verdict.findings, findings.length],
    ...(predicate.unexplained.length === 0
      ? []
      : [['unexplained', say.verdict.unexplained, coverage.files.unexplained] as [string, string, number]]),
    ['coverage', say.verdict.files],
    ...(layers.length === 0 ? [] : [['layers', say.verdict.layers, layers.length] as [string, string, number]]),
    ...(rebuild?.outcome.status === 'built'
      ? [['differences', say.verdict.differences, predicate.differences.total] as [string, string, number]]
      : []),
    ['rebuild', say.verdict.source],
    ['packages', say.verdict.packages, predicate.packages.length],
  ];
  return html`<nav class="onpage" aria-label="${say.verdict.onThisPage}">
    ${items.map(([id, name, count]) => html`<a href="#${id}">${name}${count !== undefined && html` <span class="count">${say.count(count)}</span>`}</a>`)}
  </nav>`;
}

/** The whole image at a glance; every area leads to its folder or file. */
function pictureSection(say: Say, tree: Folder, digest: string): Html {
  return html`<section aria-labelledby="picture">
    <h2 id="picture">${say.verdict.wholeImage}</h2>
    <a class="skip" href="#past-picture">${say.verdict.pastPicture}</a>
    ${pictureOf(say, tree, '', (path) => contentsAddress(say, digest, path))} ${legend(say, tree.files)}
    <p id="past-picture"><a href="${contentsAddress(say, digest, '')}">${say.verdict.lookThrough}</a></p>
  </section>`;
}

function layerStrip(say: Say, digest: string, { statement: { predicate }, rebuild, layers, tree }: VerdictDetails): Html {
  const { source, buildPlan } = predicate;
  return layersSection(say, {
    layers,
    use: predicate.layers ?? [],
    shown: tree === undefined ? undefined : countsByLayer(tree),
    lineOf: lineOfLayers(layers, rebuild?.dockerfile?.steps ?? []),
    dockerfile: source === undefined || buildPlan === undefined ? undefined : { source, path: buildPlan.dockerfile },
    addressOf: (layer) => contentsAddress(say, digest, '', layer),
  });
}

/** Which programs a container runs, and whose they are: a line each. */
function runsList(say: Say, { runs = [] }: Verdict): Html {
  if (runs.length === 0) return html``;
  return html`<ul class="runs" aria-label="${say.verdict.whatItRuns}">
    ${runs.map(
      ({ command, path, statement, attribution }) =>
        html`<li>
          <span class="tag ${toneOfRun(attribution)}">${say.verdict.runs}</span> <code>${path ?? command}</code> ${say.english(statement)}
        </li>`,
    )}
  </ul>`;
}

function toneOfRun(attribution: Attribution | undefined): Tone {
  if (attribution === undefined) return 'none';
  return attribution === 'unexplained' ? 'bad' : attribution === 'rebuilt' || attribution === 'volatile' ? 'fair' : 'good';
}

/** The four answers of a verdict; they are never folded into one. */
function answersSection(say: Say, { result, reason, auditable, coverage, findings, freshness }: Verdict): Html {
  const words = say.verdict;
  const grave = findings.filter(({ severity }) => severity === 'critical' || severity === 'high').length;
  const card = (title: string, value: string, tone: Tone, means: string): Html =>
    html`<div class="card">
      <h2>${title}</h2>
      <p class="value ${tone}">${value}</p>
      <p>${means}</p>
    </div>`;
  const accounted = coverage.accounted === 1 ? 'good' : auditable === 'no' ? 'bad' : 'fair';
  const found = grave > 0 ? 'bad' : findings.length > 0 ? 'fair' : 'good';
  return html`<section class="answers" aria-label="${words.answers}">
    ${card(words.rebuild, say.result[result].value, RESULT_TONES[result], reason === undefined ? say.result[result].means : say.reason[reason])}
    ${card(words.coverage, say.percent(coverage.accounted), accounted, words.coverageMeans)}
    ${card(words.findings, say.count(findings.length), found, grave > 0 ? words.grave(say.count(grave)) : words.noneGrave)}
    ${card(words.freshness, say.day(freshness.judgedAt), 'none', words.made(freshness.rules, freshness.policy))}
  </section>`;
}

function unexplainedSection(say: Say, { predicate }: Statement, digest: string, count: number, link: string): Html {
  const paths = predicate.unexplained;
  if (paths.length === 0) return html``;
  const path = (one: string): Html =>
    html`<li>
      <a href="${contentsAddress(say, digest, one)}"><code>${one}</code></a>
    </li>`;
  const { shown } = fitting(paths, path, UNEXPLAINED_MAX);
  return html`<section aria-labelledby="unexplained">
    <h2 id="unexplained">${say.verdict.unexplainedTitle} <span class="count">${say.count(count)}</span></h2>
    <div class="card">
      <ul class="paths">
        ${shown}
      </ul>
      ${count > shown.length && html`<p><a href="${link}">${say.verdict.all(say.count(count))}</a></p>`}
    </div>
  </section>`;
}

function rulesSection(say: Say, { predicate }: Statement, digest: string): Html {
  if (predicate.rules.length === 0) return html``;
  return html`<section aria-labelledby="rules">
    <h2 id="rules">${say.verdict.rules} <span class="count">${say.count(predicate.rules.length)}</span></h2>
    <p><a href="${say.to(`/verdicts/${digest}/rules`)}">${say.verdict.rulesMean}</a></p>
  </section>`;
}
