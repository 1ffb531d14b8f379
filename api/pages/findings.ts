import { type Finding, SEVERITIES, type Verdict } from '../../src/model/verdict.ts';
import { fitting, html, type Html } from './html.ts';
import { contentsAddress } from './contents.ts';
import { SEVERITY_TONES } from './tones.ts';
import type { Say } from './words/index.ts';

const PATHS_SHOWN = 12;
/** Of the page, which stays small; the verdict has all findings. */
const CHARACTERS_MAX = 36_000;
/** Of one finding's paths: one of it never takes the room of all others. */
const PATHS_MAX = 4_000;

const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity);

export function findingsSection(say: Say, verdict: Verdict, digest: string): Html {
  const findings = verdict.findings.toSorted((a, b) => rank(a) - rank(b));
  const { shown, rest: more } = fitting(findings, (finding) => findingCard(say, finding, digest), CHARACTERS_MAX);
  return html`<section aria-labelledby="findings">
    <h2 id="findings">${say.findings.title} <span class="count">${say.count(findings.length)}</span></h2>
    ${findings.length === 0 && html`<p class="soft">${say.findings.none}</p>`} ${shown}
    ${more > 0 && html`<p><a href="/v1/verdicts/${digest}">${say.findings.more(say.count(more))}</a></p>`}
  </section>`;
}

function findingCard(say: Say, finding: Finding, digest: string): Html {
  const { code, severity, paths, layer, line, href, evidence } = finding;
  const { title, advice, detail } = say.finding(finding);
  const facts = Object.entries(evidence);
  const { shown } = fitting(paths.slice(0, PATHS_SHOWN), (path) => html`<li>${pathLink(say, path, digest)}</li>`, PATHS_MAX);
  const more = paths.length - shown.length;
  return html`<article class="card finding ${severity}">
    <header>
      <span class="tag ${SEVERITY_TONES[severity]}">${say.severity[severity]}</span>
      <h3>${title}</h3>
    </header>
    ${detail !== undefined && html`<p>${say.english(detail)}</p>`}
    ${
      paths.length > 0 &&
      html`<ul>
        ${shown}${more > 0 && html`<li>${say.findings.morePaths(say.count(more))}</li>`}
      </ul>`
    }
    <dl class="evidence">
      ${facts.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd><code>${value}</code></dd>`,
      )}
      ${
        layer !== undefined &&
        html`<dt>${say.findings.layer}</dt>
          <dd><a href="#layer-${layer}">${layer + 1}</a></dd>`
      }
      ${
        line !== undefined &&
        html`<dt>${say.findings.dockerfile}</dt>
          <dd>${href === undefined ? say.findings.line(line) : html`<a href="${href}">${say.findings.line(line)}</a>`}</dd>`
      }
      <dt>${say.findings.code}</dt>
      <dd><code>${code}</code></dd>
    </dl>
    <p class="advice">${advice}</p>
  </article>`;
}

/** Of a file; what else a finding can name has no page. */
function pathLink(say: Say, path: string, digest: string): Html {
  const name = html`<code>${path}</code>`;
  return path.startsWith('/') ? html`<a href="${contentsAddress(say, digest, path)}">${name}</a>` : name;
}
