import { formatRanges } from '../byte-range.ts';
import { volmoveError } from '../error.ts';
import { formatPlacement } from '../placement.ts';
import type { Proof, Verify } from '../volume/volume.ts';
import { type Job, resultOf } from './job.ts';

/** The jobs of one run that speak of its bytes, as they stand in the store; undefined: there is none. */
export interface DataJobs {
  readonly copy: Job | undefined;
  readonly verify: Job | undefined;
  readonly repair: Job | undefined;
  readonly reverify: Job | undefined;
}

interface Written {
  readonly digest: string | null;
  readonly writeEpoch: number;
  readonly generation: number;
}

const noProof = (reason: string): ReturnType<typeof volmoveError> => volmoveError('NoProof', { reason });

/** What the source's agent wrote at last. A repair that was begun stands in the place of the copy, whatever came of it. */
const writtenBy = ({ copy, repair }: DataJobs): Written => {
  const copied = resultOf(copy, 'data.copy');
  if (!copied) throw noProof('the copy has not succeeded');
  if (!repair) return copied;
  const repaired = resultOf(repair, 'data.repair');
  if (!repaired) throw noProof('the repair has not succeeded');
  // its digest is of chunks of the copy and of its own
  if (repaired.writeEpoch !== copied.writeEpoch) throw noProof('the volume may have changed between copy and repair');
  return repaired;
};

const differs = (
  { copy, repair, reverify }: DataJobs,
  source: string,
  destination: string,
): ReturnType<typeof volmoveError> => {
  const differing = resultOf(reverify, 'data.reverify')?.differing ?? resultOf(repair, 'data.repair')?.differing;
  return volmoveError('DigestMismatch', {
    source,
    destination,
    volumeAt: copy?.kind === 'data.copy' ? formatPlacement(copy.input.source) : 'its source',
    stillDiffering: differing ? formatRanges(differing) : null,
  });
};

/**
 * Finalize believes the job items and nothing else: equal digests, both of the volume's writeEpoch and of the generation
 * that was sealed last. Throws NoProof, or DigestMismatch, which is repaired once; else each sends the run to ReleaseClaim.
 */
export const proofOf = (jobs: DataJobs, verify: Verify): Proof => {
  const written = writtenBy(jobs);
  const read = jobs.repair ? resultOf(jobs.reverify, 'data.reverify') : resultOf(jobs.verify, 'data.verify');
  if (!read) throw noProof('the destination was not sealed and read back');
  if (written.generation !== read.generation)
    throw noProof(`generation ${written.generation} was copied, but ${read.generation} was sealed`);
  if (verify === 'none') return { kind: 'none', writeEpoch: written.writeEpoch };
  if (written.digest === null || read.digest === null) throw noProof('a digest is missing');
  if (written.digest !== read.digest) throw differs(jobs, written.digest, read.digest);
  return { kind: 'digest', digest: read.digest, writeEpoch: written.writeEpoch, generation: read.generation };
};
