import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { RunTool } from '../../tools/run-tool.ts';
import type { Unwell } from '../contract.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterView, ClusterViews } from './cluster-view.ts';
import { CEPH, RBD, requireSecretKeyring } from './commands.ts';
import type { RbdBackend, RbdPool } from './config.ts';
import { BLOCK_MODULE, NO_MODULE, QEMU_NBD } from './device.ts';
import type { Images } from './images.ts';
import { poolSpec } from './names.ts';

/** What keeps the backend from working: programs first, then the keyring, the cluster, and each pool. */
export interface ProbeDeps {
  readonly backend: Pick<RbdBackend, 'name' | 'pools' | 'keyring'>;
  readonly runTool: RunTool;
  readonly views: ClusterViews;
  readonly cluster: Cluster;
  readonly images: Images;
}

/** Opens nothing: without a monitor in it, qemu gives up behind the step that needs its module. */
const NOWHERE = ['--read-only', '--format', 'raw', '--socket', '/nonexistent/socket', 'rbd:none/none:conf=/dev/null'];

const problemOf = async (act: () => Promise<unknown>): Promise<string[]> => {
  try {
    await act();
    return [];
  } catch (error) {
    if (error instanceof VolmoveError) return [error.message];
    throw error;
  }
};

export const probeBackend = async (
  { backend, runTool, views, cluster, images }: ProbeDeps,
  signal: AbortSignal,
): Promise<Unwell[]> => {
  const everywhere = (problems: readonly string[]): Unwell[] => problems.map((problem) => ({ pool: null, problem }));
  const programs = await Promise.all([
    problemOf(() => runTool({ ...RBD, args: ['--version'] }, signal)),
    problemOf(() => runTool({ ...CEPH, args: ['--version'] }, signal)),
    problemOf(async () => {
      const { stderr } = await runTool({ ...QEMU_NBD, args: NOWHERE }, signal);
      if (NO_MODULE.test(stderr)) throw volmoveError('ProgramMissing', BLOCK_MODULE);
    }),
    problemOf(() => requireSecretKeyring(backend.keyring, backend.name)),
  ]);
  if (programs.flat().length > 0) return everywhere(programs.flat());

  let view: ClusterView | undefined;
  const unreachable = await problemOf(async () => {
    view = await views.now(signal);
  });
  if (!view) return everywhere(unreachable);
  const reached = view;
  const ofPool = async (pool: RbdPool): Promise<Unwell[]> => {
    const problems = await problemOf(async () => {
      const where = await cluster.identify(pool, reached);
      await images.act(where, '', ['ls', poolSpec(pool), '--format', 'json'], signal);
    });
    return problems.map((problem) => ({ pool: pool.name, problem }));
  };
  return (await Promise.all(backend.pools.map(ofPool))).flat();
};
