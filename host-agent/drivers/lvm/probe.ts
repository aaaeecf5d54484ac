import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import { runObjectName } from '../../../domain/names.ts';
import type { Unwell } from '../contract.ts';
import { nameProblem } from './names.ts';
import type { Parts } from './parts.ts';
import { type LvmPool, poolProblem } from './pool.ts';

/** What keeps this host from serving the pools, before anything is asked of them. */

/** The first with reports in JSON. */
const LVM_WANTED = [2, 2, 158] as const;
const A_UUID = '00000000-0000-4000-8000-000000000000';
/** As long as names of volmove's volumes become. */
const LONGEST_NAME = runObjectName(A_UUID, A_UUID, 9999);

const isOlder = (found: readonly number[]): boolean => {
  const [i] = [...LVM_WANTED.keys()].filter((n) => (found[n] ?? 0) !== LVM_WANTED[n]);
  return i !== undefined && (found[i] ?? 0) < (LVM_WANTED[i] ?? 0);
};

/** `  LVM version:     2.03.16(2) (2022-05-18)` */
export const lvmProblem = (versionText: string): VolmoveError | undefined => {
  const version = /LVM version:\s+(\d+)\.(\d+)\.(\d+)/.exec(versionText)?.slice(1).map(Number);
  if (version && !isOlder(version)) return undefined;
  return volmoveError('ProgramUnfit', {
    program: 'lvm',
    found: version ? `version ${version.join('.')}` : 'of an unknown version',
    wanted: `${LVM_WANTED.join('.')} or newer`,
  });
};

const programProblems = async ({ lvm }: Parts, thin: boolean, signal: AbortSignal): Promise<string[]> => {
  const problemOf = async (ask: () => Promise<VolmoveError | undefined>): Promise<string[]> => {
    try {
      const problem = await ask();
      return problem ? [problem.message] : [];
    } catch (error) {
      if (error instanceof VolmoveError) return [error.message];
      throw error;
    }
  };
  const asked = [
    problemOf(async () => lvmProblem((await lvm.run(['lvm', 'version'], signal)).stdout)),
    problemOf(async () => void (await lvm.run(['dmsetup', '--version'], signal))),
  ];
  if (thin)
    asked.push(
      problemOf(async () => {
        const { stdout, stderr } = await lvm.run(['thin_dump', '--help'], signal);
        if (`${stdout}${stderr}`.includes('--dev-id')) return undefined;
        return volmoveError('ProgramUnfit', {
          program: 'thin_dump',
          found: 'without --dev-id',
          wanted: 'thin-provisioning-tools 0.8 or newer',
        });
      }),
    );
  return (await Promise.all(asked)).flat();
};

const groupProblem = async ({ lvm }: Parts, pool: LvmPool, signal: AbortSignal): Promise<string | undefined> => {
  const { vg, thin_pool, place, allow_unzeroed } = pool;
  const group = await lvm.group(vg, { place, object: vg }, signal);
  const problem = poolProblem(pool, group);
  if (problem) return problem;
  const unnameable = nameProblem(vg, LONGEST_NAME);
  if (unnameable !== undefined)
    return `the name of the volume group ${vg} is too long: volmove's volumes could not be named in it (${unnameable})`;
  const thinPool = group?.volumes.find(({ name }) => name === thin_pool);
  if (thinPool && !thinPool.zeroing && !allow_unzeroed)
    return `the thin pool ${vg}/${thin_pool} does not zero new blocks, so that one volume may see what another has held: turn it on (lvchange --zero y ${vg}/${thin_pool}), or set allow_unzeroed`;
  return undefined;
};

export const probe = async (
  parts: Parts,
  pools: readonly LvmPool[],
  uid: number,
  signal: AbortSignal,
): Promise<Unwell[]> => {
  if (uid !== 0) {
    const denied = volmoveError('NotPermitted', {
      place: 'LVM',
      reason: `it runs as user ${uid}, and LVM works for root alone`,
    });
    return [{ pool: null, problem: denied.message }];
  }
  const programs = await programProblems(
    parts,
    pools.some(({ thin_pool }) => thin_pool !== undefined),
    signal,
  );
  if (programs.length > 0) return programs.map((problem) => ({ pool: null, problem }));
  const found = await Promise.all(
    pools.map(async (pool): Promise<Unwell[]> => {
      const problem = await groupProblem(parts, pool, signal).catch((error: unknown) => {
        if (error instanceof VolmoveError) return error.message;
        throw error;
      });
      return problem === undefined ? [] : [{ pool: pool.name, problem: `pool ${pool.name}: ${problem}` }];
    }),
  );
  return found.flat();
};
