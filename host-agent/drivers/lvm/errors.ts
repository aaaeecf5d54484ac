import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { ToolEnd } from '../../tools/run-tool.ts';

/** LVM's exit codes tell a wrong command line from everything else, and no more: the kind is in the text, which is English under LC_ALL=C. */

export interface LvmContext {
  readonly place: string;
  /** What the command was about. */
  readonly object: string;
}

const MATTERS_NOT = /^(WARNING:|Run `|File descriptor \d+)/;

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Without advice and warnings, unless that is all there is. */
const whatMatters = (text: string): string[] => {
  const lines = linesOf(text);
  const matter = lines.filter((line) => !MATTERS_NOT.test(line));
  return matter.length > 0 ? matter : lines;
};

/** What LVM said, on one line. */
export const saidBy = ({ stderr, stdout, exitCode }: ToolEnd): string =>
  whatMatters(`${stderr}\n${stdout}`).join('; ') || `exit code ${exitCode}, and nothing was said`;

type Rule = readonly [RegExp, (said: string, context: LvmContext) => VolmoveError];

const offline: Rule[1] = (reason, { place }) => volmoveError('BackendOffline', { place, reason });
const illPool: Rule[1] = (said, { place }) =>
  volmoveError('BackendOffline', {
    place,
    reason: `${said}: a thin pool that needs a check is deactivated (lvchange -an VG/POOL), then repaired (lvconvert --repair VG/POOL)`,
  });
const noSpace: Rule[1] = (said, { place }) => volmoveError('NoSpace', { reason: `${place}: ${said}` });
const busy: Rule[1] = (reason, { object }) => volmoveError('ObjectBusy', { object, reason });

const RULES: readonly Rule[] = [
  [
    /Permission denied|Operation not permitted|non-root user/i,
    (reason, { place }) => volmoveError('NotPermitted', { place, reason }),
  ],
  [/device-mapper (kernel )?driver|\/dev\/mapper\/control|device-mapper is available/i, offline],
  [/Volume group "[^"]*" not found|Pool \S+ not found in Volume group|Cannot process volume group/, offline],
  [
    /needs? (a )?check|needs_check|metadata .*(read-only|inconsistent)|lvconvert --repair|Check of (thin )?pool/i,
    illPool,
  ],
  [/(PVs?|devices?) .*missing|missing PV|Couldn't find device|is exported|input\/output error/i, offline],
  [
    /already exists in volume group/i,
    (reason, { object, place }) => volmoveError('NameTaken', { object, place, reason }),
  ],
  [
    /insufficient (suitable |free )|not enough (free )?(space|extents)|free space in (thin )?pool .* (threshold|reached)|no free space/i,
    noSpace,
  ],
  [/(out of|lacks) (data|metadata|free)|metadata space|exceeds? .*threshold/i, noSpace],
  [
    /locked by other host|incompatible mode|exclusively|on (another|other|remote) (host|node)|lock manager/i,
    (said, { object }) =>
      busy(`it is active on another host (${said}): deactivate it there (lvchange -an)`, { object, place: '' }),
  ],
  [/in use|is used by another|resource busy|is open|has open/i, busy],
  [/Failed to find logical volume/i, (_said, { object, place }) => volmoveError('ObjectMissing', { object, place })],
];

/** Each line is judged by itself: words of two of them make no sense together, and neither do those of a warning. */
export const lvmError = (end: ToolEnd, context: LvmContext): VolmoveError => {
  const said = saidBy(end);
  const lines = whatMatters(end.stderr);
  const rule = RULES.find(([text]) => lines.some((line) => text.test(line)));
  return rule ? rule[1](said, context) : volmoveError('BackendRefused', { place: context.place, reason: said });
};
