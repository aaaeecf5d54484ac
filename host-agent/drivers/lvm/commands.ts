import { createTurnsOf, type InTurn } from '../../in-turn.ts';
import type { RunTool, ToolEnd } from '../../tools/run-tool.ts';
import { type LvmContext, lvmError } from './errors.ts';
import { ALL_FIELDS, GROUP_FIELDS, parseGroup, REPORT_CONFIG, type VolumeGroup } from './report.ts';

/** LVM's programs, as this driver calls them. */
export interface Lvm {
  /** Undefined: there is no such group. */
  group(vg: string, context: LvmContext, signal: AbortSignal): Promise<VolumeGroup | undefined>;
  /** A command that must succeed. */
  must(args: readonly [string, ...string[]], context: LvmContext, signal: AbortSignal): Promise<ToolEnd>;
  run(args: readonly [string, ...string[]], signal: AbortSignal): Promise<ToolEnd>;
  /** What looks and then changes does it in its turn: LVM itself lets one command at a time into a group. */
  inTurn(vg: string): InTurn;
}

const PACKAGES: Readonly<Record<string, string>> = {
  dmsetup: 'dmsetup',
  udevadm: 'udev',
  thin_dump: 'thin-provisioning-tools',
};
export const packageOf = (program: string): string => PACKAGES[program] ?? 'lvm2';

/** What changes a group: killed in its middle it leaves devices suspended, and what reads them in the kernel's hands. */
const CHANGING = new Set(['lvcreate', 'lvextend', 'lvremove', 'lvchange']);

// else each command complains of what the agent has open
const ENVIRONMENT = { LVM_SUPPRESS_FD_WARNINGS: '1' };

const reportArgs = (vg: string, fields: readonly string[]): [string, ...string[]] => [
  'vgs',
  '--reportformat',
  'json',
  '--units',
  'b',
  '--nosuffix',
  '--config',
  REPORT_CONFIG,
  '-o',
  fields.join(','),
  vg,
];

export const createLvm = (runTool: RunTool, timeoutMs: number): Lvm => {
  const turnOf = createTurnsOf();
  const run: Lvm['run'] = ([program, ...args], signal) =>
    runTool(
      {
        program,
        package: packageOf(program),
        args,
        env: ENVIRONMENT,
        timeoutMs,
        neverKilled: CHANGING.has(program),
      },
      signal,
    );
  const must: Lvm['must'] = async (args, context, signal) => {
    const end = await run(args, signal);
    if (end.exitCode !== 0) throw lvmError(end, context);
    return end;
  };
  return {
    run,
    must,
    inTurn: turnOf,
    async group(vg, context, signal) {
      for (const fields of [ALL_FIELDS, GROUP_FIELDS]) {
        const end = await run(reportArgs(vg, fields), signal);
        if (end.exitCode !== 0) {
          if (end.stderr.includes(`Volume group "${vg}" not found`)) return undefined;
          throw lvmError(end, context);
        }
        const group = parseGroup(end.stdout);
        if (group) return group;
      }
      return undefined;
    },
  };
};
