import type { BackendReport, Host, PoolReport } from '../host/host.ts';
import { findPool } from '../host/host.ts';
import type { Placement } from '../placement.ts';
import type { AttachDuringMove, MigrationOptions } from '../volume/volume.ts';

/** How a volume gets to its destination: moved by its backend where that can be, copied by the agents everywhere else. */
export type Way =
  | { readonly way: 'copy'; readonly why: string }
  /** `pool`: the destination's, as the source's backend on its own host calls it. */
  | {
      readonly way: 'backend';
      readonly pool: string;
      readonly attachDuringMove: AttachDuringMove;
      /** False: the volume takes up no more than before. */
      readonly takesSpace: boolean;
    };

/** Wishes that only a copy can fulfil; undefined: there are none. */
const asksForCopy = (options: MigrationOptions): string | undefined => {
  if (options.forceHostCopy) return 'a host copy was asked for';
  if (options.copyEngine !== undefined) return 'a copy engine was asked for';
  if (options.sourceRetentionSeconds > 0) return 'the source is to be kept, and a move of the backend leaves none';
  if (options.wipe) return 'the source is to be wiped, and a move of the backend leaves none';
  if (options.bandwidthBytesPerSecond !== undefined) return 'a limit was asked for, and a backend knows none';
  return undefined;
};

/** As the source's own host sees it: what another host calls a system may mean nothing here. */
const poolHere = ({ pools }: BackendReport, from: PoolReport, to: PoolReport): PoolReport | undefined =>
  pools.find(({ poolId, systemId }) => poolId === to.poolId && systemId !== undefined && systemId === from.systemId);

/** By what both hosts have reported. The backend itself is asked again before it begins. */
export const wayOf = (
  { source, destination, options }: { source: Placement; destination: Placement; options: MigrationOptions },
  sourceHost: Host,
  destinationHost: Host,
): Way => {
  const wish = asksForCopy(options);
  if (wish !== undefined) return { way: 'copy', why: wish };
  const backend = sourceHost.backends.find(({ name }) => name === source.backend);
  const from = findPool(sourceHost, source);
  const to = findPool(destinationHost, destination);
  if (!backend?.attachDuringMove || !from || !to)
    return { way: 'copy', why: 'the source’s backend makes no moves by itself' };
  const here = poolHere(backend, from, to);
  if (!here) return { way: 'copy', why: 'source and destination are not pools of one storage system' };
  if (here.name === source.pool) return { way: 'copy', why: 'both are the same pool of the storage system' };
  return {
    way: 'backend',
    pool: here.name,
    attachDuringMove: backend.attachDuringMove,
    takesSpace: backend.moveTakesNoSpace !== true,
  };
};
