import { type Finding, SEVERITIES, type Verdict } from '../../src/model/verdict.ts';
import { html, type Html } from './html.ts';
import { SEVERITY_TONES } from './words.ts';

const PATHS_SHOWN = 12;
const FINDINGS_SHOWN = 60; // the page stays small; the verdict has them all

const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity);

export function findingsSection(verdict: Verdict, verdictLink: string): Html {
  const findings = verdict.findings.toSorted((a, b) => rank(a) - rank(b));
  const more = findings.length - FINDINGS_SHOWN;
  return html`<section aria-labelledby="findings">
    <h2 id="findings">Findings <span class="count">${findings.length}</span></h2>
    ${findings.length === 0 && html`<p class="soft">None: nothing in this image asks for attention.</p>`}
    ${findings.slice(0, FINDINGS_SHOWN).map(findingCard)}
    ${more > 0 && html`<p><a href="${verdictLink}">${more} more in the verdict</a></p>`}
  </section>`;
}

function findingCard({ code, severity, message, paths, layer, line, href, evidence, advice }: Finding): Html {
  const facts = Object.entries(evidence);
  const more = paths.length - PATHS_SHOWN;
  return html`<article class="card finding ${severity}">
    <header>
      <span class="tag ${SEVERITY_TONES[severity]}">${severity}</span>
      <h3>${message}</h3>
    </header>
    ${
      paths.length > 0 &&
      html`<ul>
        ${paths.slice(0, PATHS_SHOWN).map((path) => html`<li><code>${path}</code></li>`)}${more > 0 && html`<li>and ${more} more</li>`}
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
        html`<dt>layer</dt>
          <dd><a href="#layer-${layer}">${layer + 1}</a></dd>`
      }
      ${
        line !== undefined &&
        html`<dt>Dockerfile</dt>
          <dd>${href === undefined ? `line ${line}` : html`<a href="${href}">line ${line}</a>`}</dd>`
      }
      <dt>code</dt>
      <dd><code>${code}</code></dd>
    </dl>
    <p class="advice">${advice}</p>
  </article>`;
}
