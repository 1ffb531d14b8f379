/** What was found of all that was ever judged. */
import type { FleetItem, FleetPage } from '../../src/model/fleet.ts';
import type { Verification } from '../../src/model/verification.ts';
import { shortDigest } from '../text.ts';
import type { PageContent } from './document.ts';
import { html, type Html, type Part } from './html.ts';
import { languageField, searchForm, verificationsTable } from './overview.ts';
import type { Say } from './words/index.ts';

/** What a form asks of the fleet; one of package, cve and file. */
export type FleetQuestion = { package?: string; olderThan?: string; cve?: string; file?: string };

export function searchPage(
  say: Say,
  query: string,
  images: Verification[],
  held: { question: FleetQuestion; page: FleetPage } | undefined,
): PageContent {
  const nothing = images.length === 0 && (held?.page.items.length ?? 0) === 0;
  return {
    title: say.search.titleFor(query),
    body: html`<h1>${say.search.title}</h1>
      ${searchForm(say, query)} ${nothing && html`<p class="soft">${say.search.nothing}</p>`}
      ${
        images.length > 0 &&
        html`<section aria-labelledby="images">
          <h2 id="images">${say.search.images}</h2>
          ${verificationsTable(say, images)}
        </section>`
      }
      ${held !== undefined && held.page.items.length > 0 && fleetSection(say, held.question, held.page)}`,
  };
}

export function fleetPage(say: Say, question: FleetQuestion, page: FleetPage | undefined, problem?: Part): PageContent {
  return {
    title: say.fleet.title,
    body: html`<h1>${say.fleet.title}</h1>
      <p class="soft">${say.fleet.lead}</p>
      ${fleetForm(say, question)}
      ${problem !== undefined && html`<p role="alert"><span class="tag bad">${say.fleet.notAsked}</span> ${problem}</p>`}
      ${page !== undefined && (page.items.length === 0 ? html`<p class="soft">${say.fleet.nobody}</p>` : fleetSection(say, question, page))}`,
  };
}

function fleetForm(say: Say, { package: name = '', olderThan = '', cve = '' }: FleetQuestion): Html {
  return html`<form class="search" action="/images">
      <label for="package">${say.fleet.package}</label>
      <input id="package" name="package" value="${name}" maxlength="128" placeholder="openssl" required />
      <label for="olderThan">${say.fleet.olderThan}</label>
      <input id="olderThan" name="olderThan" value="${olderThan}" maxlength="128" placeholder="${say.fleet.anyVersion}" />
      ${languageField(say)}
      <button>${say.fleet.ask}</button>
    </form>
    <form class="search" action="/images">
      <label for="cve">${say.fleet.cve}</label>
      <input id="cve" name="cve" value="${cve}" maxlength="40" placeholder="CVE-2024-5535" required />
      ${languageField(say)}
      <button>${say.fleet.ask}</button>
    </form>`;
}

function fleetSection(say: Say, question: FleetQuestion, { items, next, tracker }: FleetPage): Html {
  const more = new URLSearchParams({ ...question, ...(next === undefined ? {} : { cursor: next }) }).toString();
  return html`<section aria-labelledby="held">
    <h2 id="held">
      ${say.fleet.held}
      <span class="count">${next === undefined ? say.count(items.length) : say.fleet.first(say.count(items.length))}</span>
    </h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${say.overview.image}</th>
            <th scope="col">${say.fleet.what}</th>
            <th scope="col" class="optional">${say.fleet.putBy}</th>
            <th scope="col" class="optional">${say.overview.rebuild}</th>
          </tr>
        </thead>
        <tbody>
          ${items.map((item) => fleetRow(say, item))}
        </tbody>
      </table>
      ${next !== undefined && html`<p><a href="${say.to(`/images?${more}`)}">${say.site.older}</a></p>`}
    </div>
    ${tracker !== undefined && html`<p class="soft">${say.fleet.tracker(html`<code>${tracker.url}</code>`, say.time(tracker.fetchedAt))}</p>`}
  </section>`;
}

function fleetRow(
  say: Say,
  { image, verification, latest, package: held, issue, path, hidden, layer, line, createdBy, result }: FleetItem,
): Html {
  return html`<tr>
    <td>
      <a href="${say.to(`/verifications/${verification}`)}"><code>${image.reference}</code></a
      ><small title="${image.digest}">${shortDigest(image.digest)}${!latest && say.fleet.judgedAgain}</small>
    </td>
    <td>
      ${held !== undefined && html`${held.name} ${held.version}`}${path !== undefined && html`<code>${path}</code>`}${
        hidden === true && html`<small>${say.fleet.hidden}</small>`
      }${issue !== undefined && html`<small>${issue.cve}, ${issue.fixed === undefined ? say.fleet.noFix : say.fleet.fixedIn(issue.fixed)}</small>`}
    </td>
    <td class="optional">
      ${layer !== undefined && say.fleet.layer(layer + 1)}${line !== undefined && say.fleet.line(line)}${
        createdBy !== undefined && html`<small><code>${createdBy.slice(0, 120)}</code></small>`
      }
    </td>
    <td class="optional">${say.result[result].value}</td>
  </tr>`;
}
