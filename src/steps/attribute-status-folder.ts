import { parseStanza } from '../model/deb822.ts';
import type { DebContents } from '../model/debian.ts';
import type { Entry } from '../model/inventory.ts';
import type { Account } from './attribute-debian.ts';
import type { Case } from './case.ts';
import { STEP_RULES } from './rules/index.ts';
import { ruleId } from './rules/rule.ts';

const FILE = /^\/var\/lib\/dpkg\/status\.d\/([^/]+?)(\.md5sums)?$/;

/**
 * The database of images that are made by unpacking packages without dpkg: one file for each package in `status.d`, which is the
 * control file of its .deb, and beside it the .deb's own md5sums. Each is held against the verified .deb.
 */
export function statusFolderAccounts(file: Case): (entry: Entry) => Account | undefined {
  const { verified, controls } = file;
  const purls = new Map([...verified.values()].map((one) => [`${one.name} ${one.version} ${one.architecture}`, one.purl]));
  const ownerOf = (path: string): { purl: string; contents: Pick<DebContents, 'control' | 'controlFiles'> } | undefined => {
    const fields = fieldsAt(file, path);
    const purl = purls.get(['package', 'version', 'architecture'].map((name) => fields?.get(name) ?? '').join(' '));
    const contents = purl === undefined ? undefined : controls.get(purl);
    if (fields === undefined || purl === undefined || contents === undefined) return undefined;
    // dpkg's own word for what became of the package; some builders write it as well.
    const said = Object.fromEntries([...fields].filter(([name, value]) => name !== 'status' || value !== 'install ok installed'));
    const names = Object.keys(said);
    const same = names.length === Object.keys(contents.control).length && names.every((name) => said[name] === contents.control[name]);
    return same ? { purl, contents } : undefined;
  };
  return (entry) => {
    const [, name, sums] = FILE.exec(entry.path) ?? [];
    // Data that nothing runs.
    if (name === undefined || entry.kind !== 'file' || (entry.mode & 0o7133) !== 0 || entry.xattrs !== undefined) return undefined;
    const owner = ownerOf(`/var/lib/dpkg/status.d/${name}`);
    const deb = owner === undefined ? undefined : verified.get(owner.purl)?.chain?.deb;
    if (owner === undefined || deb === undefined) return undefined;
    if (sums !== undefined && owner.contents.controlFiles['md5sums']?.digest !== entry.digest) return undefined;
    return { attribution: 'debian-official', evidence: { package: owner.purl, deb, rule: ruleId(STEP_RULES.statusFolder) } };
  };
}

function fieldsAt({ published }: Case, path: string): ReadonlyMap<string, string> | undefined {
  const entry = published.entries.get(path);
  const bytes = entry?.digest === undefined ? undefined : published.contents.get(entry.digest);
  try {
    return bytes === undefined ? undefined : parseStanza(new TextDecoder().decode(bytes).trimEnd());
  } catch {
    return undefined;
  }
}
