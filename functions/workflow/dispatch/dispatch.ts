import * as z from 'zod';
import { type Failure, volmoveError } from '../../../domain/error.ts';
import type { Waiting } from '../../../domain/job/job.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import type { Deps } from '../../shared/deps.ts';
import { migrationEntries } from '../../shared/entry-owners.ts';
import { readClaimed, readHeld } from '../claimed.ts';
import { CAUGHT, failureOf, reasonFor } from '../failure-of.ts';
import { RUN } from '../handler.ts';
import { dispatchBackendMove, dispatchFinish, dispatchUndo } from './backend-move.ts';
import { dispatchCopy, dispatchVerify } from './move.ts';
import { dispatchPrepare } from './prepare.ts';
import { dispatchRemoval } from './removal.ts';
import { dispatchRepair, dispatchReverify } from './repair.ts';

/** What a starred state sends: which job, for which run, and the token that waits for it. */
export const DISPATCH = RUN.extend({
  job: z.enum([
    'backend.move',
    'backend.finish',
    'backend.undo',
    'destination.prepare',
    'data.copy',
    'data.verify',
    'data.repair',
    'data.reverify',
    'source.remove',
    'destination.remove',
  ]),
  /** Of the state that goes back from a move: the error that brought the run there. */
  error: CAUGHT.optional(),
  token: z.string().min(1),
  entered: z.iso.datetime({ offset: true }),
  retry: z.int().nonnegative(),
});
export type Dispatch = z.infer<typeof DISPATCH>;

export const waitingOf = (command: { token: string; entered: string; retry: number }): Waiting => ({
  token: command.token,
  enteredAtMs: Date.parse(command.entered),
  retryCount: command.retry,
});

/** The first object of the role that still has to go; the sweeper takes the others. Nothing left answers at once. */
const removeOne =
  (deps: Deps) =>
  async (command: Dispatch, role: 'source' | 'destination', waiting: Waiting): Promise<void> => {
    const migration = await deps.store.migrations.get(command.migrationId);
    if (!migration || !isEnded(migration))
      throw volmoveError('ClaimLost', { reason: 'the migration has not ended, nothing may be removed' });
    const entry = migration.cleanup.find((e) => e.role === role && e.state === 'todo');
    const outcome = entry ? await dispatchRemoval(deps)(migrationEntries(deps, migration), entry, waiting) : 'kept';
    if (outcome === 'kept') await deps.tasks.succeed(command.token, { removed: false });
  };

const reasonOf = async (deps: Deps, { migrationId, error }: Dispatch): Promise<Failure> => {
  const migration = await deps.store.migrations.get(migrationId);
  return reasonFor(failureOf(error ?? { Error: 'Internal', Cause: 'it was not said why' }), migration);
};

/** Every starred state of migrate-volume. */
export const dispatch =
  (deps: Deps) =>
  async (command: Dispatch): Promise<undefined> => {
    const waiting = waitingOf(command);
    switch (command.job) {
      case 'backend.move':
        await dispatchBackendMove(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'backend.finish':
        await dispatchFinish(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'backend.undo':
        await dispatchUndo(deps)(await readHeld(deps)(command), waiting, await reasonOf(deps, command));
        return undefined;
      case 'destination.prepare':
        await dispatchPrepare(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'data.copy':
        await dispatchCopy(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'data.verify':
        await dispatchVerify(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'data.repair':
        await dispatchRepair(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'data.reverify':
        await dispatchReverify(deps)(await readClaimed(deps)(command), waiting);
        return undefined;
      case 'source.remove':
      case 'destination.remove':
        await removeOne(deps)(command, command.job === 'source.remove' ? 'source' : 'destination', waiting);
        return undefined;
    }
  };
