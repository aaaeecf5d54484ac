import { volmoveError } from '../error.ts';
import type { Proof, Verify } from '../volume/volume.ts';
import { type Job, resultOf } from './job.ts';

/**
 * Finalize believes the job items and nothing else: equal digests, both of the volume's writeEpoch and of the generation
 * that was sealed. Throws NoProof or DigestMismatch, each of which sends the run to ReleaseClaim.
 */
export const proofOf = (copy: Job | undefined, verified: Job | undefined, verify: Verify): Proof => {
  const copied = resultOf(copy, 'data.copy');
  const read = resultOf(verified, 'data.verify');
  if (!copied) throw volmoveError('NoProof', { reason: 'the copy has not succeeded' });
  if (!read) throw volmoveError('NoProof', { reason: 'the destination was not sealed and read back' });
  if (copied.generation !== read.generation) {
    throw volmoveError('NoProof', {
      reason: `generation ${copied.generation} was copied, but ${read.generation} was sealed`,
    });
  }
  if (verify === 'none') return { kind: 'none', writeEpoch: copied.writeEpoch };
  if (copied.digest === null || read.digest === null) throw volmoveError('NoProof', { reason: 'a digest is missing' });
  if (copied.digest !== read.digest)
    throw volmoveError('DigestMismatch', { source: copied.digest, destination: read.digest });
  return { kind: 'digest', digest: read.digest, writeEpoch: copied.writeEpoch, generation: read.generation };
};
