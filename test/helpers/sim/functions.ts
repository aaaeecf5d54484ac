import type * as z from 'zod';
import type { Deps } from '../../../functions/shared/deps.ts';
import { DISPATCH, dispatch } from '../../../functions/workflow/dispatch/dispatch.ts';
import { DISPATCH_VOLUME, dispatchVolume, OPERATION } from '../../../functions/workflow/dispatch/volume.ts';
import { RUN } from '../../../functions/workflow/handler.ts';
import { finalize } from '../../../functions/workflow/steps/finalize.ts';
import { lockVolume } from '../../../functions/workflow/steps/lock-volume.ts';
import { notifyEnded } from '../../../functions/workflow/steps/notify-ended.ts';
import { notifyStarted } from '../../../functions/workflow/steps/notify-started.ts';
import { recordCleanup } from '../../../functions/workflow/steps/record-cleanup.ts';
import { RECORD_ERROR, recordVolume, recordVolumeError } from '../../../functions/workflow/steps/record-volume.ts';
import { RELEASE, releaseClaim } from '../../../functions/workflow/steps/release-claim.ts';
import { stopJobs } from '../../../functions/workflow/steps/stop-jobs.ts';
import { switchOver } from '../../../functions/workflow/steps/switch-over.ts';
import { validate } from '../../../functions/workflow/steps/validate.ts';

/** The use cases behind the state machines' placeholders, each with the schema that its handler parses with. */
export type Invoke = (deps: Deps, payload: unknown) => Promise<object>;

const invoke =
  <S extends z.ZodType>(schema: S, use: (deps: Deps) => (command: z.infer<S>) => Promise<object | undefined>): Invoke =>
  async (deps, payload) =>
    (await use(deps)(schema.parse(payload))) ?? {};

export const FUNCTIONS: Readonly<Record<string, Invoke>> = {
  NotifyStarted: invoke(RUN, notifyStarted),
  Validate: invoke(RUN, validate),
  LockVolume: invoke(RUN, lockVolume),
  SwitchOver: invoke(RUN, switchOver),
  Dispatch: invoke(DISPATCH, dispatch),
  Finalize: invoke(RUN, finalize),
  NotifyEnded: invoke(RUN, notifyEnded),
  ReleaseClaim: invoke(RELEASE, releaseClaim),
  StopJobs: invoke(RUN, stopJobs),
  RecordCleanup: invoke(RUN, recordCleanup),
  DispatchVolume: invoke(DISPATCH_VOLUME, dispatchVolume),
  RecordVolume: invoke(OPERATION, recordVolume),
  RecordVolumeError: invoke(RECORD_ERROR, recordVolumeError),
};
