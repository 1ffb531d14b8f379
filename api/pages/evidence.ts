/** The account of one file, link by link: from a signature, or from whatever it rests on, down to its bytes. */
import type { DebianEvidence } from '../../src/model/debian.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { AccountLine } from '../../src/model/verdict.ts';
import { html, type Html, type Part } from './html.ts';
import type { Say } from './words/index.ts';

type Packages = Pick<DebianEvidence, 'archives' | 'packages'>;

const code = (text: Part): Html => html`<code>${text}</code>`;

export function chainOf(say: Say, line: AccountLine, predicate: Statement['predicate'], packages: Packages | undefined): Html[] {
  const { package: purl, deb, rule, sourcePath, revision, url, rebuilt, line: step, note } = line.evidence;
  const { chain } = say;
  const links: Html[] = [];
  if (purl !== undefined) links.push(...packageLinks(say, purl, packages));
  if (purl !== undefined && deb !== undefined) {
    links.push(chain.deb(code(purl), code(deb)), ...reproductionLinks(say, purl, predicate));
  } else if (purl !== undefined) links.push(chain.belongs(code(purl)));
  if (sourcePath !== undefined)
    links.push(revision === undefined ? chain.source(code(sourcePath)) : chain.sourceAt(code(sourcePath), code(revision)));
  if (url !== undefined) links.push(chain.url(code(url)));
  if (rule !== undefined) {
    const reason = predicate.rules.find(({ name, version }) => `${name}@${version}` === rule)?.reason;
    links.push(reason === undefined ? chain.ruleAlone(code(rule)) : chain.rule(code(rule), say.english(reason.replace(/\.$/, ''))));
  }
  if (step !== undefined) links.push(chain.line(step));
  if (rebuilt !== undefined) links.push(chain.rebuilt(code(rebuilt)));
  if (note !== undefined) links.push(html`${say.english(note)}`);
  if (line.digest !== undefined) links.push(chain.holds(code(line.path), code(line.digest)));
  return links;
}

/** Whose signature reaches the .deb, and through which index. */
function packageLinks(say: Say, purl: string, packages: Packages | undefined): Html[] {
  const chain = packages?.packages.find((one) => one.purl === purl)?.chain;
  const archive = packages?.archives.find(({ id }) => id === chain?.archive);
  if (chain === undefined || archive === undefined) return [];
  const signers = archive.signers.map((signer, index) => html`${index > 0 && ', '}${code(signer)}`);
  const release = archive.thirdParty === undefined ? say.chain.release : say.chain.releaseOfImage;
  return [release(archive.id, say.day(archive.date), signers), say.chain.index(code(chain.packages)), say.chain.names(code(chain.path))];
}

function reproductionLinks(say: Say, purl: string, { packages }: Statement['predicate']): Html[] {
  const said = packages.find((one) => one.purl === purl)?.reproduced;
  return said === undefined || said.by === 0 ? [] : [say.chain.reproduced(said.by, said.of)];
}
