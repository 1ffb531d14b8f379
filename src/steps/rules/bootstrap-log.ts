import { alwaysAt, equalBy, isPlain, linesOf, type Rule, type Side } from './rule.ts';

const PACKAGE = '[a-z0-9][a-z0-9+.-]{0,127}(?::[a-z0-9-]{1,32})?';
const VERSION = '[A-Za-z0-9.+~:-]{1,128}';
const RELATION = `${PACKAGE}(?: \\((?:<<|<=|=|>=|>>) ${VERSION}\\))?`;
const PATH = '/[A-Za-z0-9_@%:.,+/=~[\\]-]{1,255}';
const DEB = '\\.{3}/(?:archives/)?[A-Za-z0-9.+~%_-]{1,255}\\.deb';
const NAME = '[a-z_][a-z0-9_-]{0,31}';
const ID = '\\d{1,10}';
const CLOCK = '\\d\\d:\\d\\d:\\d\\d';
const DATE = `[A-Z][a-z]{2} [A-Z][a-z]{2} [ \\d]\\d ${CLOCK}`;
const DEBIAN = '[a-z-]{1,64}@(?:lists\\.)?debian\\.org';
const DIVERSION = `'(?:local )?diversion of ${PATH}(?: to ${PATH})?(?: by ${PACKAGE})?'`;

/** Each a whole line; words that somebody could choose freely have no place in one. */
const line = (...forms: string[]): RegExp => new RegExp(`^(?:${forms.join('|')})$`);

/** wget --no-verbose: where each file came from and when, which differs between two machines. */
const FETCHED = line(`\\d{4}-\\d\\d-\\d\\d ${CLOCK} URL:\\S{1,512} \\[\\d+(?:/\\d+)?\\] -> "${PATH}" \\[\\d+\\]`);
const TIME = line(`(?:Local time is now: {6}|Universal Time is now: {2})${DATE} (?:[A-Z0-9+-]{2,5} )?\\d{4}\\.`);

/** gpgv, dpkg(1), dpkg-divert(1), update-alternatives(1), and what the essential packages' scripts print. */
const TOOLS = line(
  '',
  `gpgv: Signature made ${DATE} \\d{4} [A-Z]{2,5}`,
  'gpgv: {16}using [A-Z0-9]{3,8} key [0-9A-F]{16,64}',
  `gpgv: {16}issuer "${DEBIAN}"`,
  `gpgv: Good signature from "Debian [A-Za-z0-9 ()/-]{1,96} <${DEBIAN}>"`,
  `Selecting previously unselected package ${PACKAGE}\\.`,
  '\\(Reading database \\.\\.\\. \\d+ files and directories currently installed\\.\\)',
  `Preparing to unpack ${DEB} \\.\\.\\.`,
  `Unpacking ${PACKAGE} \\(${VERSION}\\)(?: over \\(${VERSION}\\))? \\.\\.\\.`,
  `dpkg(?:-[a-z]{1,16})?: warning: parsing file '/var/lib/dpkg/status' near line \\d+ package '${PACKAGE}':`,
  " missing '[A-Z][A-Za-z-]{1,32}' field",
  `dpkg: ${PACKAGE}: dependency problems, but configuring anyway as you requested:`,
  `dpkg: regarding ${DEB} containing ${PACKAGE}, (?:pre-)?dependency problem:`,
  'dpkg: warning: ignoring (?:pre-)?dependency problem!',
  ` ${PACKAGE} (?:pre-)?depends on ${RELATION}(?: \\| ${RELATION}){0,8}(?:; however:)?`,
  `  (?:Package )?${PACKAGE} is (?:not installed|not configured yet|unpacked, but has never been configured)\\.`,
  `  (?:Package )?${PACKAGE} provides ${RELATION} but is (?:not installed|unpacked but not configured)\\.`,
  `(?:Adding|Removing|Leaving) ${DIVERSION}`,
  `No diversion ${DIVERSION}, none removed\\.`,
  `update-alternatives: using ${PATH} to provide ${PATH} \\([A-Za-z0-9.+_-]{1,128}\\) in auto mode`,
  "Current default time zone: '[A-Z][A-Za-z0-9_+/-]{1,48}'",
  `Adding [a-z ]{1,32} [\`']${NAME}' \\([UG]ID ${ID}\\)(?: with group [\`']${NAME}')? \\.\\.\\.`,
  `Created symlink ${PATH} (?:→|->) ${PATH}\\.`,
  `\\d{3,5} SHA256:[A-Za-z0-9+/]{43} ${NAME}@[A-Za-z0-9.-]{1,64} \\([A-Z0-9]{3,8}\\)`,
);
const CONFIGURES = line(`(?:Setting up|Processing triggers for) ${PACKAGE} \\(${VERSION}\\) \\.\\.\\.`);
/** What a maintainer script tells: a few plain words, no sign of a shell's and nothing packed. */
const TOLD = /^ {0,4}[A-Za-z0-9_.,:;/()'"@=+-]{1,64}(?: [A-Za-z0-9_.,:;/()'"@=+-]{1,64}){0,24} ?$/;
const LINE_LENGTH_MAX = 1024;
/** Of some 100 packages whose scripts are run a dozen tell something, mostly one line. */
const TOLD_FOR_EACH_MAX = 16;
const TOLD_MAX = 100;

/** What was done, without where from and when; undefined where a line is none of the programs that debootstrap runs. */
function actions(side: Side): string[] | undefined {
  const lines = linesOf(side);
  if (lines === undefined) return undefined;
  const done: string[] = [];
  let toldMore = 0;
  let told = 0;
  for (const text of lines) {
    if (text.length > LINE_LENGTH_MAX) return undefined;
    if (FETCHED.test(text)) continue;
    if (CONFIGURES.test(text)) toldMore = TOLD_FOR_EACH_MAX;
    else if (!TOOLS.test(text) && !TIME.test(text)) {
      told += 1;
      if (toldMore === 0 || told > TOLD_MAX || !TOLD.test(text)) return undefined;
      toldMore -= 1;
    }
    done.push(TIME.test(text) ? '<time>' : text);
  }
  return done;
}

export const bootstrapLog: Rule = {
  name: 'bootstrap-log',
  version: 1,
  reason:
    'debootstrap keeps what its programs printed; each line is of a form that gpgv, dpkg or update-alternatives write, or a few plain words of a maintainer script, and nothing reads it again',
  applies: alwaysAt('/var/log/bootstrap.log'),
  admits: (facts) => isPlain(facts) && facts.uid === 0 && facts.gid === 0,
  equal: equalBy(actions),
  form: (side) => actions(side) !== undefined,
};
