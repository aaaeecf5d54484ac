import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { ObjectName, OpenedDevice } from '../contract.ts';
import type { DriverDeps } from '../registry.ts';
import { type Cluster, type FoundPool, fullness, requireRoom } from './cluster.ts';
import type { RbdBackend } from './config.ts';
import { serveImage } from './device.ts';
import { type Images, missing } from './images.ts';
import { qemuName } from './names.ts';
import type { Users } from './users.ts';
import { type Diagnosis, watched } from './watchdog.ts';

/** Opening an image: what speaks against it is said before qemu would find it out, or never would. */
export interface OpenDeps {
  readonly backend: RbdBackend;
  readonly cluster: Cluster;
  readonly images: Images;
  readonly users: Users;
  readonly deps: DriverDeps;
}

type Open = (object: ObjectName, mode: 'ro' | 'rw', signal: AbortSignal) => Promise<OpenedDevice>;

/** Whoever opens an image for reading alone copies it, and would leave its snapshots behind without a word. */
const requireNoSnapshots = async (where: FoundPool, object: string, images: Images, signal: AbortSignal) => {
  const snapshots = await images.snapshots(where, object, signal);
  if (snapshots.length > 0)
    throw volmoveError('HasDependents', {
      object,
      reason: `its snapshots (${snapshots.join(', ')}) are not carried along by a copy; move it within the cluster, or remove them`,
    });
};

/** Whoever opens an image is written down in it, for which a full pool has no room either. */
const whyNotOpened = async (error: unknown, diagnose: Diagnosis): Promise<Error | undefined> => {
  if (!(error instanceof VolmoveError) || error.code !== 'BackendOffline') return undefined;
  const full = await diagnose();
  return full === undefined ? undefined : volmoveError('NoSpace', { reason: full }, { cause: error });
};

export const opening = ({ backend, cluster, images, users, deps }: OpenDeps): Open => {
  const { timeout_seconds: timeoutSeconds } = backend;
  const diagnoseAt =
    (pool: string): Diagnosis =>
    async () => {
      const where = await cluster.requireNow(pool, new AbortController().signal);
      const full = fullness(where);
      return full === undefined
        ? undefined
        : `${where.place}: ${full}; nothing in it can be opened or written until there is room`;
    };

  return async ({ pool, objectName }, mode, signal) => {
    const where = await cluster.require(pool, signal);
    const info = await images.info(where, objectName, signal);
    if (!info) throw missing(where, objectName);
    if (mode === 'rw') requireRoom(where);
    else if (info.snapshot_count > 0) await requireNoSnapshots(where, objectName, images, signal);
    const used = users.opened(where, objectName);
    try {
      const request = {
        name: qemuName(backend, where.pool, objectName, timeoutSeconds),
        mode,
        place: where.place,
        timeoutMs: timeoutSeconds * 1000,
        onKilled: () => users.lost(where, objectName),
        signal,
      };
      const diagnose = diagnoseAt(pool);
      const served = await serveImage(request, deps).catch(async (error: unknown) => {
        throw (await whyNotOpened(error, diagnose)) ?? error;
      });
      const device = watched(served, diagnose);
      const close = async (): Promise<void> => {
        await device.close();
        used.closed();
      };
      return { device: { ...device, close }, readback: 'direct' };
    } catch (error) {
      used.closed();
      throw error;
    }
  };
};
