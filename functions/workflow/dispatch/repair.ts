import { formatRanges } from '../../../domain/byte-range.ts';
import { volmoveError } from '../../../domain/error.ts';
import type { Waiting } from '../../../domain/job/job.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Claimed } from '../claimed.ts';
import { dataResult, preparedOf } from '../data-jobs.ts';
import { dispatchPhase } from './move.ts';

/** What follows when the digests differ: once, what differs is copied again and all of it verified again. */

const noProof = (reason: string): ReturnType<typeof volmoveError> => volmoveError('NoProof', { reason });

/** RepairData: the source's agent finds what differs and writes it to a generation above the one that was sealed. */
export const dispatchRepair =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { volume } = claimed;
    const prepared = await preparedOf(deps)(claimed);
    const copied = await dataResult(deps)(claimed, 'data.copy');
    const read = await dataResult(deps)(claimed, 'data.verify');
    if (!volume.location) throw volmoveError('ClaimLost', { reason: 'the volume has no location' });
    if (copied.digest === null || read.digest === null) throw noProof('a digest is missing');
    // the leaves that were kept while copying are of another volume then
    if (copied.writeEpoch !== volume.writeEpoch) throw noProof('the volume may have changed since it was copied');
    const input = {
      source: volume.location,
      sizeBytes: volume.sizeBytes,
      peer: { address: prepared.address, fingerprint: prepared.fingerprint },
      writeEpoch: volume.writeEpoch,
      progressIntervalSeconds: volume.claim.options.progressIntervalSeconds ?? null,
      sourceDigest: copied.digest,
      sealed: { digest: read.digest, generation: read.generation },
    };
    const why = `${copied.digest} was copied, ${read.digest} was read back`;
    const spec = { kind: 'data.repair', input } as const;
    await dispatchPhase(deps, { phase: 'repairing', hostId: volume.location.hostId, spec, why })(claimed, waiting);
  };

/** VerifyRepaired: the destination's agent seals the run for ever and reads everything back again. */
export const dispatchReverify =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { volume } = claimed;
    const { object } = await preparedOf(deps)(claimed);
    const read = await dataResult(deps)(claimed, 'data.verify');
    const repaired = await dataResult(deps)(claimed, 'data.repair');
    const input = {
      object,
      sizeBytes: volume.sizeBytes,
      progressIntervalSeconds: volume.claim.options.progressIntervalSeconds ?? null,
      digest: true,
      expected: { digest: repaired.digest, generation: repaired.generation },
      repaired: { differing: repaired.differing, hashes: repaired.hashes, before: read.digest ?? '' },
    };
    const why = `copied again: ${formatRanges(repaired.differing)}`;
    const spec = { kind: 'data.reverify', input } as const;
    await dispatchPhase(deps, { phase: 'reverifying', hostId: object.hostId, spec, why })(claimed, waiting);
  };
