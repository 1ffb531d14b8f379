import type { DifferingParts, DiffNode, ExplainedSide, Explanation } from '../../src/model/explanation.ts';
import { bytesText, countText, shortDigest } from '../text.ts';
import { hexView } from './hex-view.ts';
import { html, type Html } from './html.ts';

/** What differs inside of one file, folded; the whole of it is behind the link, and alone where the page has no room for it. */
export function explanationDetails(explanation: Explanation | undefined, link: string, tool: string | undefined): Html {
  if (explanation === undefined) return html`<a href="${link}">What differs inside</a>`;
  const { rebuilt, published, text, bytes, sections, members, diffoscope = [], notes } = explanation;
  return html`<details class="explanation">
    <summary>What differs inside <span class="count">${summaryOf(explanation)}</span></summary>
    <div class="inside">
      <p class="soft">
        Rebuilt <code title="${rebuilt.digest}">${shortDigest(rebuilt.digest)}</code>, ${bytesText(rebuilt.size)}; published
        <code title="${published.digest}">${shortDigest(published.digest)}</code>, ${bytesText(published.size)}. In what follows
        <span class="del">−</span> is ours and <span class="add">+</span> what was published.
      </p>
      ${text !== undefined && diffView(text)} ${sections !== undefined && partsTable('Section', sections)}
      ${members !== undefined && partsTable('Member', members)} ${bytes !== undefined && hexView(bytes)}
      ${
        diffoscope.length > 0 &&
        html`<h4>By ${tool ?? 'diffoscope'}</h4>
          ${diffoscope.map(nodeView)}`
      }
      ${notes.map((note) => html`<p class="soft">${note}</p>`)}
      <p><a href="${link}">As JSON</a></p>
    </div>
  </details>`;
}

function summaryOf({ text, sections, members, bytes }: Explanation): string {
  if (text !== undefined) {
    const count = (sign: string): number => text.split('\n').filter((line) => line.startsWith(sign)).length;
    return `${countText(count('+'))} ${count('+') === 1 ? 'line' : 'lines'} added, ${countText(count('-'))} removed`;
  }
  const counted = ({ listed, more }: DifferingParts): number => listed.length + more;
  if (sections !== undefined) return `${countText(counted(sections))} of ${countText(counted(sections) + sections.same)} sections`;
  if (members !== undefined) return `${countText(counted(members))} of ${countText(counted(members) + members.same)} members`;
  return bytes === undefined ? '' : `from byte ${countText(bytes.offset)} on`;
}

/** Hunks of a unified diff, each line by what it says. */
function diffView(hunks: string): Html {
  const tone = (line: string): string => (line.startsWith('@@') ? 'at' : line.startsWith('+') ? 'add' : line.startsWith('-') ? 'del' : '');
  return html`<pre class="diff" tabindex="0">
${hunks.split('\n').map((line) => [html`<span class="${tone(line)}">${line}</span>`, '\n'])}</pre>`;
}

function partsTable(kind: string, { listed, more, same }: DifferingParts): Html {
  if (listed.length === 0) return html``;
  const sideOf = (side: ExplainedSide | undefined): Html =>
    side === undefined
      ? html`<span class="soft">not there</span>`
      : html`${bytesText(side.size)}<small title="${side.digest ?? ''}"
            >${side.digest === undefined ? 'not read' : shortDigest(side.digest)}</small
          >`;
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${kind}</th>
            <th scope="col">Rebuilt</th>
            <th scope="col">Published</th>
          </tr>
        </thead>
        <tbody>
          ${listed.map(
            ({ name, rebuilt, published }) =>
              html`<tr>
                <td><code>${name}</code></td>
                <td>${sideOf(rebuilt)}</td>
                <td>${sideOf(published)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="soft">${more > 0 && `${countText(more)} more differ. `}${countText(same)} ${same === 1 ? 'is' : 'are'} the same.</p>`;
}

/** How a tool got at what it shows; both sides mostly have one name. */
function nodeView({ rebuilt, published, comments = [], diff, inside = [] }: DiffNode): Html {
  return html`<div class="node">
    ${
      (rebuilt !== '' || published !== '') &&
      html`<p><code>${rebuilt}</code>${published !== rebuilt && html` against <code>${published}</code>`}</p>`
    }
    ${comments.map((comment) => html`<p class="soft">${comment}</p>`)} ${diff !== undefined && diffView(diff)} ${inside.map(nodeView)}
  </div>`;
}
