import type { BundledCopy } from '../../src/model/copies.ts';
import type { StatedProvenance } from '../../src/model/provenance.ts';
import type { BuildConditions, BuildPlan, Rebuild, Source } from '../../src/model/rebuild.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { printableLine, shortDigest } from '../text.ts';
import { fitting, html, type Html, type Part } from './html.ts';
import type { Say } from './words/index.ts';

/** Characters of the page. */
const LOG_MAX = 6_000;
/** Characters of one line of the log; the whole log has the rest. */
const LOG_LINE_MAX = 400;

type Fact = readonly [string, Part];
const facts = (rows: readonly Fact[]): Html =>
  html`<dl class="evidence">
    ${rows.map(
      ([name, value]) =>
        value !== undefined &&
        value !== false &&
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;

function sourceFacts({ rebuild }: Say, { location, evidence }: Source): Fact[] {
  if (location.kind === 'context') return [[rebuild.context, html`<code>${location.digest}</code>`]];
  return [
    [rebuild.repository, html`<code>${location.url}</code>`],
    [rebuild.commit, html`<code>${location.commit}</code>`],
    [rebuild.ref, location.ref !== undefined && html`<code>${location.ref}</code>`],
    [rebuild.folder, location.subdir !== undefined && html`<code>${location.subdir}</code>`],
    [rebuild.namedBy, rebuild.evidence[evidence]],
  ];
}

export function rebuildSection(
  say: Say,
  digest: string,
  { predicate }: Statement,
  rebuild: Rebuild | undefined,
  log: { last: string[]; link: string },
): Html {
  const words = say.rebuild;
  const { source, buildPlan: plan, resolvedDependencies: dependencies } = predicate;
  // The last ones matter most.
  const lines = fitting(log.last.toReversed(), (line) => html`${shortLine(line)}${'\n'}`, LOG_MAX).shown.reverse();
  const failure = rebuild?.outcome.status === 'not-comparable' ? rebuild.outcome : undefined;
  return html`<section aria-labelledby="rebuild">
    <h2 id="rebuild">${words.title}</h2>
    <div class="card">
      ${source === undefined && html`<p class="soft">${words.noSource}</p>`}
      ${facts([
        ...(source === undefined ? [] : sourceFacts(say, source)),
        ...(plan === undefined ? [] : planFacts(say, plan, predicate.builderVersion)),
        ...(predicate.rebuilds === undefined ? [] : conditionFacts(say, predicate.rebuilds)),
        ...(predicate.provenance ?? []).map((one) => provenanceFact(say, one)),
      ])}
      ${
        failure !== undefined &&
        failure.reason !== 'no-source' &&
        html`<p>
          <span class="tag fair">${failure.reason}</span>
          ${say.english(failure.detail)}${failure.line !== undefined && words.line(failure.line)}
        </p>`
      }
    </div>
    ${log.last.length > 0 && html`<details${failure !== undefined && html` open`}><summary>${words.log} <span class="count">${words.lastLines(say.count(lines.length))}</span></summary><div class="inside"><pre class="log" tabindex="0">${lines}</pre><p><a href="${log.link}">${words.wholeLog}</a></p></div></details>`}
    ${
      dependencies.length > 0 &&
      html`<p>
        <a href="${say.to(`/verdicts/${digest}/downloads`)}">${words.fetched}</a>
        <span class="count">${say.count(dependencies.length)}</span>
      </p>`
    }
  </section>`;
}

function shortLine(line: string): string {
  const text = printableLine(line);
  return text.length > LOG_LINE_MAX ? `${text.slice(0, LOG_LINE_MAX)}…` : text;
}

function conditionFacts(say: Say, { first, second }: NonNullable<Statement['predicate']['rebuilds']>): Fact[] {
  const words = ({ startedAt, hostName, processors, storage }: BuildConditions): string =>
    say.rebuild.conditions(startedAt, hostName, processors, storage === 'memory');
  return [
    [say.rebuild.built, words(first)],
    [
      say.rebuild.builtAgain,
      second !== undefined &&
        (second.status === 'built' ? words(second.conditions) : say.rebuild.failed(say.english(printableLine(second.detail)))),
    ],
  ];
}

/** The publisher's own words, told as such. */
function provenanceFact(say: Say, { digest, predicateType, attachedBy, builder, complete }: StatedProvenance): Fact {
  const words = say.rebuild;
  return [
    words.provenance,
    html`${words.attached(html`<code title="${digest}">${shortDigest(digest)}</code>`, html`<code>${predicateType}</code>`, say.attachedBy[attachedBy])}${
        builder !== undefined && words.attachedBuilder(html`<code>${builder}</code>`)
      }${!complete && words.incomplete}<small>${words.recipe}</small>`,
  ];
}

function planFacts(say: Say, plan: BuildPlan, builderVersion: string | undefined): Fact[] {
  const words = say.rebuild;
  return [
    [
      words.dockerfile,
      html`<code>${plan.dockerfile}</code
        >${plan.target !== undefined && html`${words.stage(html`<code>${plan.target}</code>`)}`}${plan.origins?.dockerfile === 'provenance' && words.byProvenance}`,
    ],
    [
      words.builder,
      html`${plan.builder} ${builderVersion ?? ''}${plan.detail !== undefined && html`${say.site.colon}${say.english(plan.detail)}`}`,
    ],
    [words.archives, plan.asOf !== undefined && words.asOf(plan.asOf.time)],
    [words.platform, `${plan.platform.os}/${plan.platform.architecture}`],
    ...plan.bases.map(
      (base) =>
        [
          words.base,
          html`${words.at(html`<code>${base.reference}</code>`, html`<code title="${base.digest}">${shortDigest(base.digest)}</code>`)}${
            base.evidence !== undefined && html`<small>${say.base[base.evidence]}</small>`
          }`,
        ] as const,
    ),
    ...Object.entries(plan.buildArgs).map(
      ([name, value]) =>
        [
          words.argument,
          html`<code>${name}=${value}</code>${plan.origins?.buildArgs?.includes(name) === true && words.byProvenance}`,
        ] as const,
    ),
  ];
}

/** Characters of the page. */
const COPIES_MAX = 8_000;

/** Libraries and modules that came without a package; what a later layer covers is told apart. */
export function copiesSection(say: Say, { copies }: Statement['predicate']): Html {
  if (copies === undefined || copies.total === 0) return html``;
  const { total, listed } = copies;
  const words = say.copies;
  const row = ({ name, version, path, layer, recognisedBy, hidden, debian }: BundledCopy): Html =>
    html`<tr>
      <td>${name} ${version}</td>
      <td>
        <code>${path}</code
        ><small
          >${words.layer(html`<a href="#layer-${layer}">${layer + 1}</a>`)}${hidden !== undefined && words.hidden(words.how[hidden.how], hidden.hiddenBy + 1)}</small
        >
      </td>
      <td class="optional">${recognisedBy.join(', ')}</td>
      <td>${debian?.version}${debian?.older === true && html` <span class="tag fair">${words.older}</span>`}</td>
    </tr>`;
  const { shown } = fitting(listed, row, COPIES_MAX);
  return html`<section aria-labelledby="copies">
    <h2 id="copies">${words.title} <span class="count">${say.count(total)}</span></h2>
    <p>${words.lead}</p>
    <details>
      <summary>${words.list}</summary>
      <div class="inside scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${words.name}</th>
              <th scope="col">${words.path}</th>
              <th scope="col" class="optional">${words.recognised}</th>
              <th scope="col">${words.debian}</th>
            </tr>
          </thead>
          <tbody>
            ${shown}
          </tbody>
        </table>
        ${total > shown.length && html`<p class="soft">${say.site.moreInVerdict(say.count(total - shown.length))}</p>`}
      </div>
    </details>
  </section>`;
}

export function packagesSection(
  say: Say,
  { packages, archives, rebuilders }: Statement['predicate'],
  { coverage: { reproduced } }: Verdict,
  digest: string,
): Html {
  const verdict = `/v1/verdicts/${digest}`;
  const verified = packages.filter(({ status }) => status === 'verified').length;
  const words = say.packages;
  const recorded = packages.filter(({ buildinfo }) => buildinfo !== undefined).length;
  return html`<section aria-labelledby="packages">
    <h2 id="packages">${words.title} <span class="count">${say.count(packages.length)}</span></h2>
    ${
      packages.length === 0
        ? html`<p class="soft">${words.none}</p>`
        : html`<p>
            ${words.verified(say.count(verified), say.count(packages.length))}
            ${
              reproduced !== undefined &&
              rebuilders !== undefined &&
              words.reproduced(
                say.count(reproduced.packages),
                say.count(reproduced.files),
                say.bytes(reproduced.bytes),
                rebuilders.atLeast,
                rebuilders.asked.map(({ url }, index) => html`${index > 0 && ', '}<code>${url}</code>`),
              )
            }
            ${recorded > 0 && words.recorded(say.count(recorded))}
          </p>`
    }
    <p>
      ${words.bill} <a href="${verdict}/cyclonedx.json">CycloneDX</a>,
      <a href="${verdict}/spdx.json">SPDX</a>
    </p>
    ${
      archives.length > 0 &&
      html`<details>
        <summary>${words.archives} <span class="count">${archives.length}</span></summary>
        <div class="inside scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">${words.suite}</th>
                <th scope="col">${words.dated}</th>
                <th scope="col">${words.signedBy}</th>
              </tr>
            </thead>
            <tbody>
              ${archives.map(
                ({ id, date, signers }) =>
                  html`<tr>
                    <td>${id}</td>
                    <td>${say.day(date)}</td>
                    <td>${signers.map((signer) => html`<code>${signer.slice(-16)}</code> `)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>`
    }
    ${packages.length > 0 && html`<p><a href="${say.to(`/verdicts/${digest}/packages`)}">${words.all}</a></p>`}
  </section>`;
}
