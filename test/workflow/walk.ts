import { removalJobId } from '../../domain/cleanup.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { finalize } from '../../functions/workflow/steps/finalize.ts';
import { lockVolume } from '../../functions/workflow/steps/lock-volume.ts';
import { notifyEnded } from '../../functions/workflow/steps/notify-ended.ts';
import { notifyStarted } from '../../functions/workflow/steps/notify-started.ts';
import { recordCleanup } from '../../functions/workflow/steps/record-cleanup.ts';
import { releaseClaim } from '../../functions/workflow/steps/release-claim.ts';
import { stopJobs } from '../../functions/workflow/steps/stop-jobs.ts';
import { validate } from '../../functions/workflow/steps/validate.ts';
import {
  COPIED,
  type Dispatched,
  endJob,
  entered,
  HOST_OF,
  jobId,
  PREPARED,
  type Rig,
  RUN_1,
  VERIFIED,
} from '../helpers/rig.ts';

/** The steps of a run one after the other, with what the agents do in between. */
export interface Step {
  readonly name: string;
  readonly run: (rig: Rig) => Promise<unknown>;
}

const starred = (name: string, job: Dispatched): Step => ({
  name,
  run: (rig) => dispatch(rig.deps)(entered(rig, job)),
});

const RESULTS = { 'destination.prepare': PREPARED, 'data.copy': COPIED, 'data.verify': VERIFIED };
const agent = (kind: keyof typeof RESULTS): Step => ({
  name: `agent ends ${kind}`,
  run: (rig) => endJob(rig, HOST_OF[kind], jobId(kind), { result: RESULTS[kind] }),
});

/** The agents remove whatever stands in the migration's cleanup. */
const agentRemoves: Step = {
  name: 'agent removes',
  async run(rig) {
    for (const entry of (await rig.migration()).cleanup) {
      const { hostId } = entry.placement;
      if (entry.tries > 0) await endJob(rig, hostId, removalJobId(entry, entry.tries), { result: { existed: true } });
    }
  },
};

export const REASON = {
  Error: 'NoSpace',
  Cause: JSON.stringify({ errorType: 'NoSpace', errorMessage: 'It is full.' }),
};

const BEGIN: readonly Step[] = [
  { name: 'NotifyStarted', run: ({ deps }) => notifyStarted(deps)(RUN_1) },
  { name: 'Validate', run: ({ deps }) => validate(deps)(RUN_1) },
  { name: 'LockVolume', run: ({ deps }) => lockVolume(deps)(RUN_1) },
  starred('PrepareDestination', 'destination.prepare'),
  agent('destination.prepare'),
  starred('CopyData', 'data.copy'),
  agent('data.copy'),
  starred('VerifyData', 'data.verify'),
  agent('data.verify'),
];

export const SUCCESS: readonly Step[] = [
  ...BEGIN,
  { name: 'Finalize', run: ({ deps }) => finalize(deps)(RUN_1) },
  { name: 'NotifyEnded', run: ({ deps }) => notifyEnded(deps)(RUN_1) },
  starred('RemoveSource', 'source.remove'),
  agentRemoves,
  { name: 'RecordCleanup', run: ({ deps }) => recordCleanup(deps)(RUN_1) },
];

export const ROLLBACK: readonly Step[] = [
  ...BEGIN.slice(0, 6),
  { name: 'ReleaseClaim', run: ({ deps }) => releaseClaim(deps)({ ...RUN_1, error: REASON }) },
  { name: 'StopJobs', run: ({ deps }) => stopJobs(deps)(RUN_1) },
  { name: 'NotifyEnded', run: ({ deps }) => notifyEnded(deps)(RUN_1) },
  starred('RemoveDestination', 'destination.remove'),
  agentRemoves,
  { name: 'RecordCleanup', run: ({ deps }) => recordCleanup(deps)(RUN_1) },
];

/** Everything before the step of that name, or everything. */
export const walkTo = async (rig: Rig, name?: string, steps: readonly Step[] = SUCCESS): Promise<void> => {
  for (const step of steps) {
    if (step.name === name) return;
    await step.run(rig);
  }
};

/** All that is in the store, without what only counts or dates writes. */
export const stateOf = async ({ records }: Rig): Promise<Record<string, unknown>> => {
  const state: Record<string, unknown> = {};
  for await (const { pk, sk, data } of records.scan()) state[`${pk} ${sk}`] = { ...(data as object), updatedAtMs: 0 };
  return state;
};
