import type { LayerSummary } from '../../src/model/inventory.ts';
import type { StatedProvenance } from '../../src/model/provenance.ts';
import type { BuildConditions, BuildPlan, Rebuild, Source } from '../../src/model/rebuild.ts';
import type { RebuildOutcome } from '../../src/model/rebuilders.ts';
import type { LayerUse, StatedReproduction, Statement } from '../../src/model/statement.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { bytesText, countText, printableLine, shortDigest } from '../text.ts';
import { html, type Html, type Part } from './html.ts';
import { BASE_WORDS } from './words.ts';

const DEPENDENCIES_SHOWN = 200;
const PACKAGES_SHOWN = 400;

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

function sourceFacts({ location, evidence }: Source): Fact[] {
  if (location.kind === 'context') return [['uploaded context', html`<code>${location.digest}</code>`]];
  return [
    ['repository', html`<code>${location.url}</code>`],
    ['commit', html`<code>${location.commit}</code>`],
    ['ref', location.ref !== undefined && html`<code>${location.ref}</code>`],
    ['folder', location.subdir !== undefined && html`<code>${location.subdir}</code>`],
    ['named by', evidence],
  ];
}

export function rebuildSection({ predicate }: Statement, rebuild: Rebuild | undefined, log: { last: string[]; link: string }): Html {
  const { source, buildPlan: plan, resolvedDependencies: dependencies } = predicate;
  const failure = rebuild?.outcome.status === 'not-comparable' ? rebuild.outcome : undefined;
  return html`<section aria-labelledby="rebuild">
    <h2 id="rebuild">Source and rebuild</h2>
    <div class="card">
      ${source === undefined && html`<p class="soft">No source is known, so nothing was rebuilt.</p>`}
      ${facts([
        ...(source === undefined ? [] : sourceFacts(source)),
        ...(plan === undefined ? [] : planFacts(plan, predicate.builderVersion)),
        ...(predicate.rebuilds === undefined ? [] : conditionFacts(predicate.rebuilds)),
        ...(predicate.provenance ?? []).map(provenanceFact),
      ])}
      ${
        failure !== undefined &&
        failure.reason !== 'no-source' &&
        html`<p>
          <span class="tag fair">${failure.reason}</span> ${failure.detail}${failure.line !== undefined && ` (line ${failure.line})`}
        </p>`
      }
    </div>
    ${log.last.length > 0 && html`<details${failure !== undefined && html` open`}><summary>Build log <span class="count">last ${log.last.length} lines</span></summary><div class="inside"><pre class="log" tabindex="0">${log.last.map((line) => `${printableLine(line)}\n`)}</pre><p><a href="${log.link}">The whole log</a></p></div></details>`}
    ${dependencies.length > 0 && dependenciesDetails(dependencies)}
  </section>`;
}

function conditionFacts({ first, second }: NonNullable<Statement['predicate']['rebuilds']>): Fact[] {
  const words = ({ startedAt, hostName, processors, storage }: BuildConditions): string =>
    `${startedAt}, host ${hostName}, ${processors === 1 ? '1 processor' : `${processors} processors`}, files ${storage === 'memory' ? 'in memory' : 'on disk'}`;
  return [
    ['built', words(first)],
    [
      'built again',
      second !== undefined && (second.status === 'built' ? words(second.conditions) : `failed: ${printableLine(second.detail)}`),
    ],
  ];
}

/** The publisher's own words, told as such. */
function provenanceFact({ digest, predicateType, attachedBy, builder, complete }: StatedProvenance): Fact {
  return [
    'provenance',
    html`<code title="${digest}">${shortDigest(digest)}</code>, <code>${predicateType}</code>, attached by
      ${ATTACHED_WORDS[attachedBy]}${
        builder !== undefined && html`; builder <code>${builder}</code>`
      }${!complete && '; it does not name all arguments'}<small>a recipe that was tried, no proof</small>`,
  ];
}

const ATTACHED_WORDS: Record<StatedProvenance['attachedBy'], string> = {
  index: 'the index',
  referrers: 'a referrer',
  'cosign-tag': 'cosign’s tag',
};

function planFacts(plan: BuildPlan, builderVersion: string | undefined): Fact[] {
  return [
    [
      'Dockerfile',
      html`<code>${plan.dockerfile}</code
        >${plan.target !== undefined && html`, stage <code>${plan.target}</code>`}${plan.origins?.dockerfile === 'provenance' && ', as the provenance says'}`,
    ],
    ['builder', `${plan.builder} ${builderVersion ?? ''}${plan.detail === undefined ? '' : `: ${plan.detail}`}`],
    ['archives', plan.asOf !== undefined && `as they were at ${plan.asOf.time}`],
    ['platform', `${plan.platform.os}/${plan.platform.architecture}`],
    ...plan.bases.map(
      (base) =>
        [
          'base image',
          html`<code>${base.reference}</code> at <code title="${base.digest}">${shortDigest(base.digest)}</code>${
              base.evidence !== undefined && html`<small>${BASE_WORDS[base.evidence]}</small>`
            }`,
        ] as const,
    ),
    ...Object.entries(plan.buildArgs).map(
      ([name, value]) =>
        [
          'build argument',
          html`<code>${name}=${value}</code>${plan.origins?.buildArgs?.includes(name) === true && ', as the provenance says'}`,
        ] as const,
    ),
  ];
}

function dependenciesDetails(dependencies: Rebuild['resolvedDependencies']): Html {
  return html`<details>
    <summary>Fetched during the rebuild <span class="count">${countText(dependencies.length)}</span></summary>
    <div class="inside scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">SHA-256</th>
            <th scope="col" class="number">Size</th>
          </tr>
        </thead>
        <tbody>
          ${dependencies.slice(0, DEPENDENCIES_SHOWN).map(
            ({ uri, digest, annotations }) =>
              html`<tr>
                <td>
                  <code>${uri}</code>${annotations?.original !== undefined && html`<small>for <code>${annotations.original}</code></small>`}
                </td>
                <td>
                  ${digest === undefined ? html`<span class="soft">not seen</span>` : html`<code title="${digest.sha256}">${digest.sha256.slice(0, 12)}…</code>`}
                </td>
                <td class="number">${annotations?.size !== undefined && bytesText(annotations.size)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      ${dependencies.length > DEPENDENCIES_SHOWN && html`<p class="soft">and ${dependencies.length - DEPENDENCIES_SHOWN} more in the verdict</p>`}
    </div>
  </details>`;
}

export function layersSection(layers: LayerSummary[], use: readonly LayerUse[] = []): Html {
  if (layers.length === 0) return html``;
  const hidden = use.reduce((sum, layer) => sum + layer.hidden.bytes, 0);
  return html`<section aria-labelledby="layers">
    <h2 id="layers">Layers <span class="count">${layers.length}</span></h2>
    ${hidden > 0 && html`<p>The final image does not show ${bytesText(hidden)} of them: later layers delete or replace these files, and everybody still gets them.</p>`}
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">Made by</th>
            <th scope="col" class="number optional">Entries</th>
            <th scope="col" class="number optional">Stored</th>
            <th scope="col" class="number">Unpacked</th>
            ${use.length > 0 && html`<th scope="col" class="number">Not shown</th>`}
          </tr>
        </thead>
        <tbody>
          ${layers.map(
            ({ digest, createdBy, entries, size, uncompressedSize }, index) =>
              html`<tr id="layer-${index}">
                <td>${index + 1}</td>
                <td><code>${createdBy ?? 'not said'}</code><small title="${digest}">${shortDigest(digest)}</small></td>
                <td class="number optional">${countText(entries)}</td>
                <td class="number optional">${bytesText(size)}</td>
                <td class="number">${bytesText(uncompressedSize)}</td>
                ${use.length > 0 && html`<td class="number">${bytesText(use[index]?.hidden.bytes ?? 0)}</td>`}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

const COPIES_SHOWN = 200;

/** Libraries and modules that came without a package; what a later layer covers is told apart. */
export function copiesSection({ copies }: Statement['predicate']): Html {
  if (copies === undefined || copies.total === 0) return html``;
  const { total, listed } = copies;
  return html`<section aria-labelledby="copies">
    <h2 id="copies">Copies outside of packages <span class="count">${countText(total)}</span></h2>
    <p>Debian’s security updates do not reach these. What each says of itself is no proof.</p>
    <details>
      <summary>Libraries and modules</summary>
      <div class="inside scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Path</th>
              <th scope="col" class="optional">Recognised by</th>
              <th scope="col">Debian’s own</th>
            </tr>
          </thead>
          <tbody>
            ${listed.slice(0, COPIES_SHOWN).map(
              ({ name, version, path, layer, recognisedBy, hidden, debian }) =>
                html`<tr>
                  <td>${name} ${version}</td>
                  <td>
                    <code>${path}</code
                    ><small
                      >layer
                      <a href="#layer-${layer}">${layer + 1}</a
                      >${hidden !== undefined && `, not shown: ${hidden.how} by layer ${hidden.hiddenBy + 1}`}</small
                    >
                  </td>
                  <td class="optional">${recognisedBy.join(', ')}</td>
                  <td>${debian?.version}${debian?.older === true && html` <span class="tag fair">older</span>`}</td>
                </tr>`,
            )}
          </tbody>
        </table>
        ${total > COPIES_SHOWN && html`<p class="soft">and ${countText(total - COPIES_SHOWN)} more in the verdict</p>`}
      </div>
    </details>
  </section>`;
}

export function packagesSection(
  { packages, archives, rebuilders }: Statement['predicate'],
  { coverage: { reproduced } }: Verdict,
  verdict: string,
): Html {
  const verified = packages.filter(({ status }) => status === 'verified').length;
  const recorded = packages.filter(({ buildinfo }) => buildinfo !== undefined).length;
  return html`<section aria-labelledby="packages">
    <h2 id="packages">Packages <span class="count">${countText(packages.length)}</span></h2>
    ${
      packages.length === 0
        ? html`<p class="soft">The image holds no package database that conforme reads.</p>`
        : html`<p>
            ${countText(verified)} of ${countText(packages.length)} are verified from their archive’s signature down to each file.
            ${
              reproduced !== undefined &&
              rebuilders !== undefined &&
              html`${countText(reproduced.packages)} of these, with ${countText(reproduced.files)} files and ${bytesText(reproduced.bytes)},
              were built again from their source with the same bytes, by ${rebuilders.atLeast} or more of
              ${rebuilders.asked.map(({ url }, index) => html`${index > 0 && ', '}<code>${url}</code>`)}.`
            }
            ${
              recorded > 0 &&
              html`Of ${countText(recorded)}, Debian’s records of its builds name the very .deb: a claim of the machine that built it, not
              proof.`
            }
          </p>`
    }
    <p>
      Bill of materials, with how each component was verified: <a href="${verdict}/cyclonedx.json">CycloneDX</a>,
      <a href="${verdict}/spdx.json">SPDX</a>
    </p>
    ${
      archives.length > 0 &&
      html`<details>
        <summary>Signed archives <span class="count">${archives.length}</span></summary>
        <div class="inside scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Suite</th>
                <th scope="col">Dated</th>
                <th scope="col">Signed by</th>
              </tr>
            </thead>
            <tbody>
              ${archives.map(
                ({ id, date, signers }) =>
                  html`<tr>
                    <td>${id}</td>
                    <td>${date}</td>
                    <td>${signers.map((signer) => html`<code>${signer.slice(-16)}</code> `)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>`
    }
    ${
      packages.length > 0 &&
      html`<details>
        <summary>All packages</summary>
        <div class="inside scroll">
          <table>
            <tbody>
              ${packages.slice(0, PACKAGES_SHOWN).map(
                ({ purl, status, unverified, reproduced: one }) =>
                  html`<tr>
                    <td><code>${purl}</code></td>
                    <td><span class="tag ${status === 'verified' ? 'good' : 'fair'}">${status}</span> ${unverified ?? ''}</td>
                    ${
                      rebuilders !== undefined &&
                      html`<td>
                        ${one !== undefined && html`<span class="tag ${one.by >= rebuilders.atLeast ? 'good' : 'none'}">${reproducedWords(one)}</span>`}
                      </td>`
                    }
                  </tr>`,
              )}
            </tbody>
          </table>
          ${packages.length > PACKAGES_SHOWN && html`<p class="soft">and ${packages.length - PACKAGES_SHOWN} more in the verdict</p>`}
        </div>
      </details>`
    }
  </section>`;
}

/** Nothing here blames a package: what was not reproduced mostly holds the time of its build. */
function reproducedWords({ by, of, rebuilders }: StatedReproduction): string {
  if (by > 0) return `reproduced by ${by} of ${of}`;
  const said = (outcome: RebuildOutcome): boolean => rebuilders.some((answer) => answer.outcome === outcome);
  if (said('not-reproduced')) return 'not reproduced';
  return rebuilders.every(({ outcome }) => outcome === 'unavailable') ? 'rebuilders did not answer' : 'not attested';
}
