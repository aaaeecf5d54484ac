import type { NamedRanges } from '../../domain/byte-range.ts';
import { volmoveError } from '../../domain/error.ts';
import { migrationJobId, type VerifyResult } from '../../domain/job/job.ts';
import { digestDevice } from '../digest/digest-device.ts';
import type { LeafFile } from '../digest/leaf-file.ts';
import { stillDiffering } from '../digest/still-differing.ts';
import { type Tree, treeOf } from '../digest/tree.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';
import { whilePaused } from './heeding.ts';

/**
 * VerifyData and VerifyRepaired, on the destination's host: seal the run's export, then read back what is stored with a fresh
 * open. From the seal on no byte can arrive any more, so what is digested is what stays. The leaves are kept meanwhile: they
 * tell where the two sides differ. A first difference opens the export for one repair, a second one is told and no more.
 */
type Run = JobRun<'data.verify'> | JobRun<'data.reverify'>;

const seal = async (parts: AgentParts, { job }: Run): Promise<number> => {
  const sealed = job.migrationId === null ? undefined : await parts.exports.seal(job.migrationId, job.run);
  if (!sealed) throw volmoveError('NoProof', { reason: 'this host has no export of that run to seal' });
  if (sealed.object.objectId !== job.input.object.objectId) {
    throw volmoveError('NoProof', {
      reason: `the export wrote to ${sealed.object.objectId}, not to ${job.input.object.objectId}`,
    });
  }
  return sealed.generation;
};

const readBack = async (parts: AgentParts, run: Run): Promise<Pick<VerifyResult, 'readback'> & { digest: string }> => {
  const { id, input } = run.job;
  const opened = await parts.backends.get(input.object).open(input.object, 'ro', run.signal);
  const { device } = opened;
  let leaves: LeafFile | undefined;
  try {
    leaves = await parts.leaves.begin(id, input.sizeBytes, 0);
    const kept = leaves;
    const digest = await parts.buffers.lend((window) =>
      digestDevice({
        window,
        device,
        sizeBytes: input.sizeBytes,
        leaves: kept,
        onProgress: (p) => run.measured(p),
        whilePaused: (during) => whilePaused(run, during),
        monotonicMs: parts.monotonicMs,
        signal: run.signal,
      }),
    );
    return { digest, readback: opened.readback };
  } finally {
    await leaves?.close();
    await device.close();
  }
};

/** Runs `act` with the tree of what the job has read back; undefined when its leaves are not there, or void. */
const withTree = async <T>(
  parts: AgentParts,
  { job, signal }: Run,
  { jobId, digest }: { readonly jobId: string; readonly digest: string },
  act: (tree: Tree) => Promise<T>,
): Promise<T | undefined> => {
  const file = await parts.leaves.open(jobId, job.input.sizeBytes);
  if (!file) return undefined;
  try {
    const tree = treeOf(file, job.input.sizeBytes);
    return (await tree.digest(signal)) === digest ? await act(tree) : undefined;
  } finally {
    await file.close();
  }
};

/** Undefined where it cannot be told: then the ranges of the repair stand for it. */
const whatDiffers = async (parts: AgentParts, run: Run, digest: string): Promise<NamedRanges | undefined> => {
  const { job, signal } = run;
  const { repaired } = job.input;
  if (!repaired?.hashes || repaired.differing.more > 0) return undefined;
  const { hashes, differing } = repaired;
  const verifyId = migrationJobId(job.migrationId ?? '', job.run, 'data.verify');
  return withTree(parts, run, { jobId: verifyId, digest: repaired.before }, (before) =>
    withTree(parts, run, { jobId: job.id, digest }, (now) =>
      stillDiffering({ before, now, repaired: differing, hashes, signal }),
    ),
  );
};

/** The result when the job was asked for a digest; `generation` is what was sealed. */
const compare = async (parts: AgentParts, run: Run, generation: number): Promise<VerifyResult> => {
  const { job, signal } = run;
  const { expected, sizeBytes } = job.input;
  const { digest, readback } = await readBack(parts, run);
  if (!expected || expected.digest === digest || expected.generation !== generation) {
    await parts.leaves.forget(job.id);
    return { digest, generation, readback };
  }
  if (job.kind === 'data.verify') {
    signal.throwIfAborted();
    await parts.exports.openForRepair({ migrationId: job.migrationId ?? '', run: job.run, generation, sizeBytes });
    return { digest, generation, readback };
  }
  const differing = await whatDiffers(parts, run, digest);
  return { digest, generation, readback, ...(differing ? { differing } : {}) };
};

const verify = async (parts: AgentParts, run: Run): Promise<VerifyResult> => {
  const { digest, sizeBytes } = run.job.input;
  // nothing is silent from here on, also while the last writes before the seal take their time
  if (digest) run.measured({ settledBytes: 0, totalBytes: sizeBytes, rateBytesPerSecond: 0 });
  const generation = await seal(parts, run);
  return digest ? compare(parts, run, generation) : { digest: null, generation, readback: 'direct' };
};

export const verifyData: JobHandler<'data.verify'> = verify;
export const reverifyData: JobHandler<'data.reverify'> = verify;
