import type { DifferingParts, DiffNode, ExplainedSide, Explanation } from '../../src/model/explanation.ts';
import { shortDigest } from '../text.ts';
import { hexView } from './hex-view.ts';
import { html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

/** What differs inside of one file, folded; the whole of it is behind the link, and alone where the page has no room for it. */
export function explanationDetails(say: Say, explanation: Explanation | undefined, link: string, tool: string | undefined): Html {
  const words = say.explanation;
  if (explanation === undefined) return html`<a href="${link}">${words.inside}</a>`;
  const { rebuilt, published, text, bytes, sections, members, diffoscope = [], notes } = explanation;
  const sideOf = ({ digest, size }: Explanation['rebuilt']): Html =>
    html`<code title="${digest}">${shortDigest(digest)}</code>, ${say.bytes(size)}`;
  return html`<details class="explanation">
    <summary>${words.inside} <span class="count">${summaryOf(say, explanation)}</span></summary>
    <div class="inside">
      <p class="soft">
        ${words.sides(sideOf(rebuilt), sideOf(published), html`<span class="del">−</span>`, html`<span class="add">+</span>`)}
      </p>
      ${text !== undefined && diffView(text)} ${sections !== undefined && partsTable(say, words.section, sections)}
      ${members !== undefined && partsTable(say, words.member, members)} ${bytes !== undefined && hexView(say, bytes)}
      ${
        diffoscope.length > 0 &&
        html`<h3>${words.by(tool ?? 'diffoscope')}</h3>
          ${diffoscope.map((node) => nodeView(say, node))}`
      }
      ${notes.map((note) => html`<p class="soft">${say.english(note)}</p>`)}
      <p><a href="${link}">${words.json}</a></p>
    </div>
  </details>`;
}

function summaryOf(say: Say, { text, sections, members, bytes }: Explanation): string {
  const words = say.explanation;
  if (text !== undefined) {
    const count = (sign: string): number => text.split('\n').filter((line) => line.startsWith(sign)).length;
    return words.lines(count('+'), say.count(count('+')), say.count(count('-')));
  }
  const counted = ({ listed, more }: DifferingParts): number => listed.length + more;
  if (sections !== undefined) return words.sections(say.count(counted(sections)), say.count(counted(sections) + sections.same));
  if (members !== undefined) return words.members(say.count(counted(members)), say.count(counted(members) + members.same));
  return bytes === undefined ? '' : words.fromByte(say.count(bytes.offset));
}

/** Hunks of a unified diff, each line by what it says. */
function diffView(hunks: string): Html {
  const tone = (line: string): string => (line.startsWith('@@') ? 'at' : line.startsWith('+') ? 'add' : line.startsWith('-') ? 'del' : '');
  return html`<pre class="diff" tabindex="0">
${hunks.split('\n').map((line) => html`<span class="${tone(line)}">${line}</span>${'\n'}`)}</pre>`;
}

function partsTable(say: Say, kind: string, { listed, more, same }: DifferingParts): Html {
  if (listed.length === 0) return html``;
  const sideOf = (side: ExplainedSide | undefined): Html =>
    side === undefined
      ? html`<span class="soft">${say.differences.notThere}</span>`
      : html`${say.bytes(side.size)}<small title="${side.digest ?? ''}"
            >${side.digest === undefined ? say.explanation.notRead : shortDigest(side.digest)}</small
          >`;
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${kind}</th>
            <th scope="col">${say.differences.rebuilt}</th>
            <th scope="col">${say.differences.published}</th>
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
    <p class="soft">${more > 0 && `${say.explanation.moreDiffer(say.count(more))} `}${say.explanation.same(same, say.count(same))}</p>`;
}

/** How a tool got at what it shows; both sides mostly have one name. */
function nodeView(say: Say, { rebuilt, published, comments = [], diff, inside = [] }: DiffNode): Html {
  return html`<div class="node">
    ${
      (rebuilt !== '' || published !== '') &&
      html`<p><code>${rebuilt}</code>${published !== rebuilt && say.explanation.against(html`<code>${published}</code>`)}</p>`
    }
    ${comments.map((comment) => html`<p class="soft">${comment}</p>`)} ${diff !== undefined && diffView(diff)}
    ${inside.map((node) => nodeView(say, node))}
  </div>`;
}
