import { countLeftBytes, type Pool } from '../../../domain/host/pool.ts';
import { isJobEnded, type Job } from '../../../domain/job/job.ts';
import { firstToken, type TaskToken } from '../../../domain/job/token.ts';
import { isEnded, type Migration } from '../../../domain/migration/migration.ts';
import type { Outcome, Volume } from '../../../domain/volume/volume.ts';
import type { Stored } from '../../../store/records.ts';

/** What no write may do, looked at as it is made: an outcome that somebody overwrites would be seen by nobody later. */

export const runOf = ({ migrationId, run }: { migrationId: string; run: number }): string => `${migrationId}.${run}`;

export type Accuse = (what: string) => void;

const PATHS: readonly Volume['status'][] = ['attaching', 'reserved', 'in-use', 'detaching'];

const checkLock = (was: Volume, is: Volume, accuse: Accuse): void => {
  if (!was.claim?.lock) return;
  const letIn =
    is.connections.length > 0 || is.attachments.length > was.attachments.length || PATHS.includes(is.status);
  if (letIn) accuse(`an attach was let in while run ${runOf(was.claim)} had the volume locked`);
};

const checkVolume = (
  was: Volume | undefined,
  is: Volume | undefined,
  outcomes: Map<string, Outcome['result']>,
  accuse: Accuse,
): void => {
  if (is?.lastOutcome && was?.lastOutcome !== is.lastOutcome) {
    const run = runOf(is.lastOutcome);
    const known = was?.lastOutcome && runOf(was.lastOutcome) === run;
    if (outcomes.has(run) && !(known && JSON.stringify(was.lastOutcome) === JSON.stringify(is.lastOutcome)))
      accuse(`run ${run} has ended twice`);
    outcomes.set(run, is.lastOutcome.result);
  }
  if (!was) return;
  if (was.claim && (!is || (is.claim?.migrationId !== was.claim.migrationId && !outcomes.has(runOf(was.claim))))) {
    accuse(`the claim of run ${runOf(was.claim)} has vanished without an outcome`);
  }
  if (!is) return;
  if (is.fence < was.fence || is.writeEpoch < was.writeEpoch) accuse('a counter of the volume goes back');
  checkLock(was, is, accuse);
};

const checkMigration = (was: Migration, is: Migration, accuse: Accuse): void => {
  if (is.run < was.run) accuse(`${is.id} goes back to run ${is.run}`);
  const same = was.stage.state === is.stage.state && is.run === was.run;
  // a retry is another run of it
  if (isEnded(was) && !same && !(is.run > was.run && was.stage.state === 'failed'))
    accuse(`${is.id} was ${was.stage.state}, and is ${is.stage.state}`);
};

const checkJob = (was: Job, is: Job, accuse: Accuse): void => {
  if (is.attempt < was.attempt) accuse(`job ${is.id} goes back to attempt ${is.attempt}`);
  if (isJobEnded(was) && JSON.stringify(was.stage) !== JSON.stringify(is.stage)) accuse(`job ${is.id} has ended twice`);
};

const checkToken = (was: TaskToken, is: TaskToken, accuse: Accuse): void => {
  const older = is.enteredAtMs - was.enteredAtMs || is.retryCount - was.retryCount;
  if (older < 0) accuse(`an older token replaces the one that waits for job ${is.jobId}`);
};

const checkPool = (is: Pool, accuse: Accuse): void => {
  const sum = Object.values(is.reservations).reduce((a, b) => a + b, 0);
  if (is.reservedBytes !== sum) accuse(`the reservations of ${is.id} do not add up`);
  if (is.leftBytes !== countLeftBytes(is)) accuse(`what is left of ${is.id} does not add up`);
  if (sum > is.freeBytes) accuse(`more is reserved in ${is.id} than there is`);
};

export const checkWrite = (
  outcomes: Map<string, Outcome['result']>,
  accuse: Accuse,
): ((before: Stored | undefined, after: Stored | undefined) => void) => {
  /** The tokens that stand in jobs, by the key of the item that takes their place. */
  const firstTokens = new Map<string, TaskToken>();
  return (before, after) => {
    const { pk, sk } = (after ?? before) as Stored;
    const was = before?.data as never;
    const is = after?.data as never;
    if (sk === 'VOLUME') checkVolume(was, is, outcomes, accuse);
    else if (after && sk === 'POOL') checkPool(is, accuse);
    else if (sk.startsWith('TOKEN#')) {
      const waited = (was as TaskToken | undefined) ?? firstTokens.get(`${pk} ${sk}`);
      if (waited && after) checkToken(waited, is, accuse);
    } else if (sk.startsWith('JOB#') && after && !before) {
      const first = firstToken(is);
      if (first) firstTokens.set(`${pk} TOKEN#${first.jobId}`, first);
    } else if (!before || !after) firstTokens.delete(`${pk} ${sk.replace('JOB#', 'TOKEN#')}`);
    else if (sk === 'MIGRATION') checkMigration(was, is, accuse);
    else if (sk.startsWith('JOB#')) checkJob(was, is, accuse);
  };
};
