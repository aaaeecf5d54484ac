import { type Failure, volmoveError } from '../../../domain/error.ts';
import {
  isJobEnded,
  type JobKind,
  type MoveInput,
  migrationJobId,
  resultOf,
  type Waiting,
} from '../../../domain/job/job.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import { type EnterPhase, enterPhase } from '../../../domain/migration/run.ts';
import { wayOf } from '../../../domain/migration/way.ts';
import { runObjectName } from '../../../domain/names.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { copyInstead, dropMove, noteMove, noteUndo } from '../../../domain/volume/claimed-move.ts';
import type { Claim, ClaimedMove } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { takeSpace, wantedSpace } from '../../shared/reserve.ts';
import type { Claimed } from '../claimed.ts';
import { dispatchPhase } from './move.ts';
import { offerJob } from './offer.ts';

/**
 * The three jobs of a move that a backend makes by itself (design section 4): move, and then either finish or undo. The claim
 * carries the move before the first of them is there, and nothing else ends the claim until one of the other two has succeeded.
 */

const inputOf = ({ source, destination }: ClaimedMove, { options }: Claim): MoveInput => ({
  source,
  destination,
  sizeBytes: source.sizeBytes,
  progressIntervalSeconds: options.progressIntervalSeconds ?? null,
});

/** Undefined when it has become a copy since it was validated: a host reports something else now. */
const beginMove = async (deps: Deps, { migration, volume }: Claimed): Promise<ClaimedMove | undefined> => {
  const { location: source, claim } = volume;
  if (claim.move) return claim.move;
  if (!source) throw volmoveError('ClaimLost', { reason: 'the volume has no location' });
  const [from, to] = await Promise.all([
    deps.store.hosts.get(source.hostId),
    deps.store.hosts.get(claim.destination.hostId),
  ]);
  if (!from || !to) throw volmoveError('HostUnavailable', { host: formatPlacement(from ? claim.destination : source) });
  const found = wayOf({ source, destination: claim.destination, options: claim.options }, from, to);
  if (found.way === 'copy') return undefined;
  const objectName = runObjectName(volume.id, migration.id, claim.run);
  const move: ClaimedMove = {
    hostId: source.hostId,
    source,
    destination: { pool: found.pool, objectName },
    attachDuringMove: found.attachDuringMove,
    ...(found.takesSpace ? {} : { takesNoSpace: true as const }),
  };
  return (await deps.store.volumes.apply([volume.id], noteMove(claim, move))).value.claim?.move ?? move;
};

/** MoveWithinBackend: the note on the claim, the capacity, and only then the job. */
export const dispatchBackendMove =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { migration, volume } = claimed;
    const { claim } = volume;
    const move = await beginMove(deps, claimed);
    if (!move) {
      await deps.store.volumes.apply([volume.id], copyInstead(claim));
      await deps.tasks.succeed(waiting.token, { moved: false });
      return;
    }
    const wanted = move.takesNoSpace ? undefined : await wantedSpace(deps)(volume);
    const entered = { run: claim.run, phase: 'moving', who: 'execution', nowMs: deps.clock.nowMs() } as const;
    await deps.store.migrations.apply(
      [migration.id],
      enterPhase({
        ...entered,
        ...(wanted ? { reservation: wanted.reservation } : {}),
        why: `inside ${move.source.backend}`,
      }),
    );
    if (wanted) await takeSpace(deps)(claim, wanted);
    const spec = { kind: 'backend.move', input: inputOf(move, claim) } as const;
    await dispatchPhase(deps, { phase: 'moving', hostId: move.hostId, spec })(claimed, waiting);
  };

/** Of earlier runs, over and without success: they may become very many, and their migration stays open for as long. */
const forgetEarlier = async (deps: Deps, { jobs }: Migration, kind: JobKind, run: number): Promise<string[]> => {
  const earlier = jobs.filter((job) => job.kind === kind && job.run < run);
  const over: string[] = [];
  for (const { hostId, jobId } of earlier) {
    const job = await deps.store.jobs.get(hostId, jobId);
    if (job && !isJobEnded(job)) continue;
    await deps.store.tokens.remove([hostId, jobId], () => true);
    await deps.store.jobs.remove([hostId, jobId], isJobEnded);
    over.push(jobId);
  }
  return over;
};

/** The job that ends the move, whichever way. It is offered again by every run until it has succeeded. */
const dispatchEnd = async (
  deps: Deps,
  { migration, volume }: Claimed,
  waiting: Waiting,
  { kind, ...entering }: Pick<EnterPhase, 'phase' | 'why'> & { kind: 'backend.finish' | 'backend.undo' },
): Promise<void> => {
  const { claim } = volume;
  if (!claim.move) throw volmoveError('NoProof', { reason: 'no move of the backend was begun' });
  const { run, move } = claim;
  const { hostId } = move;
  const jobId = migrationJobId(migration.id, run, kind);
  const job = { hostId, jobId, kind, run };
  const nowMs = deps.clock.nowMs();
  const forgets = await forgetEarlier(deps, migration, kind, run);
  await deps.store.migrations.apply(
    [migration.id],
    enterPhase({ run, who: 'execution', nowMs, job, forgets, ...entering }),
  );
  const spec = { kind, input: inputOf(move, claim) } as const;
  const ids = { volumeId: volume.id, projectId: volume.projectId, migrationId: migration.id };
  await offerJob(deps)({ hostId, id: jobId, ...ids, run, spec }, waiting);
};

/** FinishMove: after SwitchOver, and by every run that finds the claim switching. */
export const dispatchFinish =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { claim } = claimed.volume;
    if (claim.phase !== 'switching') throw volmoveError('NoProof', { reason: 'the claim is not switching over' });
    await dispatchEnd(deps, claimed, waiting, { kind: 'backend.finish', phase: 'switching' });
  };

/** UndoMove: the way back, before the claim may be released. */
export const dispatchUndo =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting, reason: Failure): Promise<void> => {
    const { volume } = claimed;
    await deps.store.volumes.apply([volume.id], noteUndo(volume.claim, reason));
    await dispatchEnd(deps, claimed, waiting, { kind: 'backend.undo', phase: 'rolling_back', why: reason.message });
  };

/** Before a copy: the backend that was asked has said no, and has begun nothing. */
export const dropRefusedMove =
  (deps: Deps) =>
  async ({ migration, volume }: Claimed): Promise<void> => {
    const { claim } = volume;
    if (!claim.move) return;
    const jobId = migrationJobId(migration.id, claim.run, 'backend.move');
    const asked = resultOf(await deps.store.jobs.get(claim.move.hostId, jobId), 'backend.move');
    if (asked?.moved !== false) throw volmoveError('MoveNotUndone', { hostId: claim.move.hostId });
    await deps.store.volumes.apply([volume.id], dropMove(claim));
  };
