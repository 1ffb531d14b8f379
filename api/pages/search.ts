/** What was found of all that was ever judged. */
import type { FleetItem, FleetPage } from '../../src/model/fleet.ts';
import type { Verification } from '../../src/model/verification.ts';
import { shortDigest } from '../text.ts';
import type { PageContent } from './document.ts';
import { html, type Html } from './html.ts';
import { searchForm, verificationsTable } from './overview.ts';
import { RESULT_WORDS } from './words.ts';

/** What a form asks of the fleet; one of package, cve and file. */
export type FleetQuestion = { package?: string; olderThan?: string; cve?: string; file?: string };

export function searchPage(
  query: string,
  images: Verification[],
  held: { question: FleetQuestion; page: FleetPage } | undefined,
): PageContent {
  const nothing = images.length === 0 && (held?.page.items.length ?? 0) === 0;
  return {
    title: `Search for ${query}`,
    body: html`<h1>Search</h1>
      ${searchForm(query)} ${nothing && html`<p class="soft">Nothing that was judged matches.</p>`}
      ${
        images.length > 0 &&
        html`<section aria-labelledby="images">
          <h2 id="images">Images</h2>
          ${verificationsTable(images)}
        </section>`
      }
      ${held !== undefined && held.page.items.length > 0 && fleetSection(held.question, held.page)}`,
  };
}

export function fleetPage(question: FleetQuestion, page: FleetPage | undefined, problem?: string): PageContent {
  return {
    title: 'Which images hold it',
    body: html`<h1>Which images hold it</h1>
      <p class="soft">Everything that was ever judged is asked, in dpkg’s order of versions.</p>
      ${fleetForm(question)} ${problem !== undefined && html`<p role="alert"><span class="tag bad">not asked</span> ${problem}</p>`}
      ${page !== undefined && (page.items.length === 0 ? html`<p class="soft">No judged image does.</p>` : fleetSection(question, page))}`,
  };
}

function fleetForm({ package: name = '', olderThan = '', cve = '' }: FleetQuestion): Html {
  return html`<form class="search" action="/images">
      <label for="package">A package</label>
      <input id="package" name="package" value="${name}" maxlength="128" placeholder="openssl" required />
      <label for="olderThan">older than</label>
      <input id="olderThan" name="olderThan" value="${olderThan}" maxlength="128" placeholder="any version" />
      <button>Ask</button>
    </form>
    <form class="search" action="/images">
      <label for="cve">or a vulnerability</label>
      <input id="cve" name="cve" value="${cve}" maxlength="40" placeholder="CVE-2024-5535" required />
      <button>Ask</button>
    </form>`;
}

function fleetSection(question: FleetQuestion, { items, next, tracker }: FleetPage): Html {
  const more = new URLSearchParams({ ...question, ...(next === undefined ? {} : { cursor: next }) }).toString();
  return html`<section aria-labelledby="held">
    <h2 id="held">Images that hold it <span class="count">${next === undefined ? items.length : `the first ${items.length}`}</span></h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Image</th>
            <th scope="col">What</th>
            <th scope="col" class="optional">Put there by</th>
            <th scope="col" class="optional">Rebuild</th>
          </tr>
        </thead>
        <tbody>
          ${items.map(fleetRow)}
        </tbody>
      </table>
      ${next !== undefined && html`<p><a href="/images?${more}">Older</a></p>`}
    </div>
    ${tracker !== undefined && html`<p class="soft">By the data of <code>${tracker.url}</code> as fetched ${tracker.fetchedAt.slice(0, 16).replace('T', ' ')} UTC.</p>`}
  </section>`;
}

function fleetRow({ image, verification, latest, package: held, issue, path, hidden, layer, line, createdBy, result }: FleetItem): Html {
  return html`<tr>
    <td>
      <a href="/verifications/${verification}"><code>${image.reference}</code></a
      ><small title="${image.digest}">${shortDigest(image.digest)}${!latest && ', judged again since'}</small>
    </td>
    <td>
      ${held !== undefined && html`${held.name} ${held.version}`}${path !== undefined && html`<code>${path}</code>`}${
        hidden === true && html`<small>a later layer took it away; the image holds it all the same</small>`
      }${issue !== undefined && html`<small>${issue.cve}, ${issue.fixed === undefined ? 'no fix yet' : `fixed in ${issue.fixed}`}</small>`}
    </td>
    <td class="optional">
      ${layer !== undefined && `layer ${layer + 1}`}${line !== undefined && `, line ${line} of the Dockerfile`}${
        createdBy !== undefined && html`<small><code>${createdBy.slice(0, 120)}</code></small>`
      }
    </td>
    <td class="optional">${RESULT_WORDS[result].value}</td>
  </tr>`;
}
