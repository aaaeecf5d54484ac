import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import type { Job, JobStage } from '../../domain/job/job.ts';
import { createJobList } from '../../host-agent/list-jobs.ts';
import { aJob } from '../helpers/factories.ts';
import { agentRig } from './helpers/agent-rig.ts';

const digest = { format: 'volmove-merkle-1', sizeBytes: 4096, chunks: 0, frontier: [] } as const;
const failure = volmoveError('HostLost', { hostId: 'host-a', forSeconds: 9 }).toFailure();
const STAGES: Readonly<Record<string, JobStage>> = {
  queued: { state: 'queued' },
  running: { state: 'running', incarnation: 'i', sinceMs: 0 },
  failed: { state: 'failed', endedAtMs: 0, failure },
};

/** A copy whose checkpoint an earlier process of this host has left. */
const left = async (stage: JobStage, input: object = {}) => {
  const agent = await agentRig();
  const copy = aJob({ stage });
  const job = { ...copy, input: { ...copy.input, ...input } } as Job;
  await agent.store.jobs.create(job);
  await agent.parts.checkpoints.write({ jobId: job.id, writeEpoch: 0, checkpoint: { settledBytes: 0, digest } });
  await createJobList(agent.store, agent.parts, job.hostId)();
  return (await agent.parts.checkpoints.read(job.id, 0)) !== undefined;
};

describe('the checkpoint of a copy', () => {
  it.each(['queued', 'running'])('that is %s is kept: it goes on from there', async (state) => {
    expect(await left(STAGES[state] as JobStage)).toBe(true);
  });

  it('that others have ended while its agent was not there goes at the next look', async () => {
    expect(await left(STAGES.failed as JobStage)).toBe(false);
  });

  it('that has failed is kept for a retry, where that was asked for', async () => {
    expect(await left(STAGES.failed as JobStage, { keptForSeconds: 60 })).toBe(true);
  });
});
