import type { Severity } from '../../model/verdict.ts';
import { textFromBytes } from '../../model/path.ts';
import { fieldsOf } from '../account-names.ts';
import type { ImageSide } from '../case.ts';
import { isDynamicId } from '../rules/accounts.ts';
import { digestsOf, found, type Found, type Scene } from './finding.ts';

/** Shells that end at once: nobody can log in. */
const NO_LOGIN = /\/(?:nologin|false|sync)$/;
/** Groups whose members can become root or read everything. */
const POWERFUL_GROUP = /^(?:root|sudo|wheel|admin|adm|shadow|disk|docker|lxd|kmem|staff)$/;
/** crypt(5): `*`, `!` and what begins with them match no password. */
const LOCKED = /^[*!]/;

/** Accounts, passwords and memberships that the packages alone do not make. */
export function* accounts(scene: Scene): Generator<Found> {
  const told = [...users(scene), ...passwords(scene), ...memberships(scene)];
  yield* told;
  yield* others(scene, new Set(told.flatMap(({ finding }) => finding.paths)));
}

const FILES = ['passwd', 'group', 'shadow', 'gshadow'].flatMap((name) => [`/etc/${name}`, `/etc/${name}-`]);

/** What else a file of accounts says, or who may read it: further groups and members, passwords of groups, days on which accounts end. */
function* others(scene: Scene, told: ReadonlySet<string>): Generator<Found> {
  for (const path of FILES) {
    const entry = scene.file.published.entries.get(path);
    if (entry === undefined || told.has(path) || scene.account.get(path)?.attribution !== 'unexplained') continue;
    yield found(scene, 'account-unexpected', `${path} is not what the verified packages make; nothing accounts for it`, {
      severity: scene.confirmable ? 'medium' : 'low',
      paths: [path],
      ...layerOf(scene, path),
      evidence: digestsOf([entry]),
    });
  }
}

type Line = readonly string[];
type Table = ReadonlyMap<string, Line>;

/** A file's lines by their first field; undefined where there is no such image. */
function table(image: ImageSide | undefined, path: string): Table | undefined {
  return image === undefined
    ? undefined
    : new Map(fieldsOf(image.entries, image.contents, path).map((fields) => [fields[0] ?? '', fields]));
}

/** Id, group, home and shell of passwd(5). Without a re-installation, system accounts pass, and root is the only root. */
function isFromPackages(packages: Table | undefined, fields: Line): boolean {
  const id = Number(fields[2]);
  if (packages === undefined) return id === 0 ? fields[0] === 'root' : id < 1000 || id === 65534;
  const made = packages.get(fields[0] ?? '');
  if (made === undefined) return false;
  const sameId = (index: number): boolean =>
    made[index] === fields[index] || (isDynamicId(Number(made[index])) && isDynamicId(Number(fields[index])));
  return sameId(2) && sameId(3) && made[5] === fields[5] && made[6] === fields[6];
}

/** The same line in the rebuilt image: the Dockerfile or the base makes it. */
function isRebuilt(rebuilt: Table | undefined, fields: Line, free?: number): boolean {
  const made = rebuilt?.get(fields[0] ?? '');
  return made !== undefined && made.length === fields.length && fields.every((field, index) => index === free || field === made[index]);
}

function shown(name: string | undefined): string {
  return textFromBytes(Buffer.from(name ?? '', 'latin1'));
}

function layerOf(scene: Scene, path: string): { layer?: number } {
  const layer = scene.file.published.entries.get(path)?.layer;
  return layer === undefined ? {} : { layer };
}

function* users(scene: Scene): Generator<Found> {
  const path = '/etc/passwd';
  const { published } = scene.file;
  const packages = table(scene.file.reinstalled, path);
  const rebuilt = table(scene.file.rebuilt, path);
  const seen = new Set<string>();
  for (const fields of fieldsOf(published.entries, published.contents, path)) {
    const [name = '', password, uid, , , home, shell = ''] = fields;
    const isRoot = Number(uid) === 0;
    const open = password === '' || (password !== undefined && password !== 'x' && !LOCKED.test(password));
    const twice = seen.has(name);
    seen.add(name);
    if (!open && !twice && isFromPackages(packages, fields)) continue;
    const traced = isRebuilt(rebuilt, fields);
    const login = !NO_LOGIN.test(shell);
    const grave = open || twice || (isRoot && name !== 'root');
    const severity: Severity = grave ? 'critical' : traced ? (login ? 'low' : 'info') : login && scene.confirmable ? 'high' : 'medium';
    const why =
      isRoot && name !== 'root' ? ' with the rights of root' : open ? ' with no locked password' : login ? ' that can log in' : '';
    yield found(
      scene,
      open ? 'password-set' : 'account-unexpected',
      `the account ${shown(name)}${why} is in /etc/passwd; ${traced ? 'the rebuild makes the same' : 'no verified package makes it so'}`,
      {
        severity,
        paths: [path],
        ...layerOf(scene, path),
        evidence: { account: shown(name), uid: shown(uid), home: shown(home), shell: shown(shell) },
        accuses: !traced,
      },
    );
  }
}

function* passwords(scene: Scene): Generator<Found> {
  const path = '/etc/shadow';
  const { published } = scene.file;
  const rebuilt = table(scene.file.rebuilt, path);
  for (const fields of fieldsOf(published.entries, published.contents, path)) {
    const [name, password = ''] = fields;
    if (LOCKED.test(password)) continue;
    const traced = isRebuilt(rebuilt, fields, 2);
    const how = password === '' ? 'without any password' : 'with a password that is the same in every container';
    yield found(
      scene,
      'password-set',
      `${shown(name)} can log in ${how}; ${traced ? 'the rebuild makes the same' : 'no verified package sets it'}`,
      {
        // A base image that lets everyone in reproduces perfectly.
        severity: traced && password !== '' ? 'high' : 'critical',
        paths: [path],
        ...layerOf(scene, path),
        evidence: { account: shown(name), method: password === '' ? 'none' : shown(/^\$[0-9a-z]+\$/.exec(password)?.[0] ?? 'crypt') },
        accuses: !traced,
      },
    );
  }
}

function* memberships(scene: Scene): Generator<Found> {
  const path = '/etc/group';
  const { published } = scene.file;
  const packages = table(scene.file.reinstalled, path);
  const rebuilt = table(scene.file.rebuilt, path);
  for (const [name = '', , , members = ''] of fieldsOf(published.entries, published.contents, path)) {
    if (!POWERFUL_GROUP.test(name)) continue;
    const expected = new Set((packages?.get(name)?.[3] ?? '').split(','));
    const made = new Set((rebuilt?.get(name)?.[3] ?? '').split(','));
    for (const member of members.split(',')) {
      if (member === '' || expected.has(member)) continue;
      const traced = made.has(member);
      yield found(
        scene,
        'account-unexpected',
        `${shown(member)} is a member of the group ${name}; ${traced ? 'the rebuild makes the same' : 'no verified package makes it so'}`,
        {
          severity: traced ? 'low' : scene.confirmable ? 'high' : 'medium',
          paths: [path],
          ...layerOf(scene, path),
          evidence: { account: shown(member), group: name },
          accuses: !traced,
        },
      );
    }
  }
}
