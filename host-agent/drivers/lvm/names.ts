/** What LVM and device-mapper take for a name (lvm(8), VALID NAMES). Asked beforehand, because LVM says it in the middle of its work. */

const VALID = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/;
const RESERVED_STARTS = ['snapshot', 'pvmove'];
const RESERVED_PARTS = [
  '_cdata',
  '_cmeta',
  '_corig',
  '_cpool',
  '_cvol',
  '_iorig',
  '_mimage',
  '_mlog',
  '_pmspare',
  '_rimage',
  '_rmeta',
  '_tdata',
  '_tmeta',
  '_vdata',
  '_vorigin',
  '_wcorig',
];
/** DM_NAME_LEN, less the byte that ends it. */
const MOST_DM_NAME_BYTES = 127;

const escaped = (name: string): string => name.replaceAll('-', '--');

/** As device-mapper knows the volume: a dash parts the group from the volume, so that dashes inside are doubled. */
export const dmName = (vg: string, lv: string, layer?: string): string =>
  `${escaped(vg)}-${escaped(lv)}${layer === undefined ? '' : `-${layer}`}`;

export const devicePath = (vg: string, lv: string): string => `/dev/${vg}/${lv}`;

/** Why a volume of the group cannot have that name; undefined when it can. */
export const nameProblem = (vg: string, lv: string): string | undefined => {
  if (!VALID.test(lv) || lv === '.' || lv === '..') return 'LVM takes letters, digits, + _ . - and no dash first';
  const start = RESERVED_STARTS.find((one) => lv.startsWith(one));
  if (start) return `LVM keeps names that begin with ${start} for itself`;
  const part = RESERVED_PARTS.find((one) => lv.includes(one));
  if (part) return `LVM keeps names with ${part} for itself`;
  const bytes = dmName(vg, lv).length;
  if (bytes > MOST_DM_NAME_BYTES)
    return `with its volume group it has ${bytes} bytes for device-mapper, which takes ${MOST_DM_NAME_BYTES} (each dash counts twice)`;
  return undefined;
};
