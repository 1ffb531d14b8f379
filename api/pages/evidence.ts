/** The account of one file, link by link: from a signature, or from whatever it rests on, down to its bytes. */
import type { DebianEvidence } from '../../src/model/debian.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { AccountLine } from '../../src/model/verdict.ts';
import { html, type Html } from './html.ts';

type Packages = Pick<DebianEvidence, 'archives' | 'packages'>;

export function chainOf(line: AccountLine, predicate: Statement['predicate'], packages: Packages | undefined): Html[] {
  const { package: purl, deb, rule, sourcePath, revision, url, rebuilt, line: step, note } = line.evidence;
  const links: Html[] = [];
  if (purl !== undefined) links.push(...packageLinks(purl, packages));
  if (purl !== undefined && deb !== undefined) {
    links.push(html`The .deb of <code>${purl}</code> has the SHA-256 <code>${deb}</code>: fetched and hashed.`);
    links.push(...reproductionLinks(purl, predicate));
  } else if (purl !== undefined) links.push(html`It belongs to <code>${purl}</code>.`);
  if (sourcePath !== undefined)
    links.push(html`The source has it as <code>${sourcePath}</code>${revision !== undefined && html` at <code>${revision}</code>`}.`);
  if (url !== undefined) links.push(html`It came from <code>${url}</code>.`);
  if (rule !== undefined) {
    const reason = predicate.rules.find(({ name, version }) => `${name}@${version}` === rule)?.reason;
    links.push(html`Rule <code>${rule}</code>${reason !== undefined && html`: ${reason}`}.`);
  }
  if (step !== undefined) links.push(html`Line ${step} of the Dockerfile made it.`);
  if (rebuilt !== undefined) links.push(html`Our rebuild made it with the SHA-256 <code>${rebuilt}</code>.`);
  if (note !== undefined) links.push(html`${note}`);
  if (line.digest !== undefined) links.push(html`The image holds <code>${line.path}</code> with the SHA-256 <code>${line.digest}</code>.`);
  return links;
}

/** Whose signature reaches the .deb, and through which index. */
function packageLinks(purl: string, packages: Packages | undefined): Html[] {
  const chain = packages?.packages.find((one) => one.purl === purl)?.chain;
  const archive = packages?.archives.find(({ id }) => id === chain?.archive);
  if (chain === undefined || archive === undefined) return [];
  return [
    html`The Release file of ${archive.id}, dated ${archive.date.slice(0, 10)}, is signed by
    ${archive.signers.map((signer, index) => html`${index > 0 && ', '}<code>${signer}</code>`)}${archive.thirdParty !== undefined && ', a key that came with the image'}.`,
    html`It names the index of packages with the SHA-256 <code>${chain.packages}</code>.`,
    html`The index names <code>${chain.path}</code>.`,
  ];
}

function reproductionLinks(purl: string, { packages }: Statement['predicate']): Html[] {
  const said = packages.find((one) => one.purl === purl)?.reproduced;
  return said === undefined || said.by === 0 ? [] : [html`${said.by} of ${said.of} rebuilders built it again with the same bytes.`];
}
