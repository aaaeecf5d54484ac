import type { Checkpoint } from '../copy/checkpoint.ts';
import { NO_DIGEST } from '../digest/digest-state.ts';
import type { AgentParts, JobRun } from './context.ts';

/** From where a copy goes on: its own checkpoint, or that of the run before, which a retry makes its own. */
type Run = JobRun<'data.copy'>;

/** The leaves first: a crash in between leaves them without a checkpoint, never a checkpoint with leaves of two jobs. */
const adopt = async ({ checkpoints, leaves }: AgentParts, { job }: Run): Promise<Checkpoint | undefined> => {
  const { carriesOnFrom, writeEpoch } = job.input;
  const checkpoint = carriesOnFrom === undefined ? undefined : await checkpoints.read(carriesOnFrom, writeEpoch);
  if (carriesOnFrom === undefined || !checkpoint) return undefined;
  await leaves.adopt(carriesOnFrom, job.id);
  await checkpoints.write({ jobId: job.id, writeEpoch, checkpoint });
  await checkpoints.forget(carriesOnFrom);
  return checkpoint;
};

/** One of a volume of another size is void, too, and one without a digest is of no use to a copy that needs it. */
const fits = ({ job }: Run, { digest: state }: Checkpoint): boolean => {
  const { sizeBytes, digest, destinationHasContent = false } = job.input;
  if (state.sizeBytes !== sizeBytes) return false;
  return state.format === NO_DIGEST ? !digest : digest || destinationHasContent;
};

export const checkpointOf = async (parts: AgentParts, run: Run): Promise<Checkpoint | undefined> => {
  const { id, input } = run.job;
  const found = (await parts.checkpoints.read(id, input.writeEpoch)) ?? (await adopt(parts, run));
  return found && fits(run, found) ? found : undefined;
};

/** A comparison needs the source's hashes from the start: a copy that has none goes on writing all that follows. */
export const compares = ({ job }: Run, checkpoint: Checkpoint | undefined): boolean =>
  job.input.destinationHasContent === true && checkpoint?.digest.format !== NO_DIGEST;
