import { describe, expect, it } from 'vitest';
import type { TaskToken } from '../../domain/job/token.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { tellResult } from '../../store/results.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { COPIED, createRig, endJob, entered, jobId, type Rig } from '../helpers/rig.ts';
import { walkTo } from '../workflow/walk.ts';

/** The result stands in the job; telling the state machine may fail, come late, or go to a state that waits no more. */

const COPY = ['host-a', jobId('data.copy')] as const;
const FIRST = 'data.copy/1/0';

const copied = async (): Promise<Rig> => {
  const rig = await createRig();
  rig.executions.set(`${MIGRATION_ID}-1`, { state: 'RUNNING', cause: '' });
  await walkTo(rig, 'agent ends data.copy');
  await endJob(rig, ...COPY, { result: COPIED });
  rig.tasks.answers.length = 0;
  return rig;
};
const token = ({ deps }: Rig): Promise<TaskToken | undefined> => deps.store.tokens.get(...COPY);
const tell = async (rig: Rig, deps: Deps = rig.deps): Promise<string> => {
  const job = await rig.deps.store.jobs.get(...COPY);
  if (!job) throw new Error('There is no job.');
  return tellResult(deps)(job);
};
const answering = (rig: Rig, succeed: Deps['tasks']['succeed']): Deps => ({
  ...rig.deps,
  tasks: { ...rig.deps.tasks, succeed },
});

describe('SendTaskSuccess', () => {
  it('that fails leaves the result in the job and the token unacked; the sweeper tells it', async () => {
    const rig = await copied();
    const unreachable = answering(rig, () => Promise.reject(new Error('no route to host')));

    await expect(tell(rig, unreachable)).rejects.toThrow('no route to host');
    const untold = await token(rig);
    await sweep(unreachable)({ full: false });
    const still = await token(rig);
    await sweep(rig.deps)({ full: false });

    expect([untold?.acked, still?.acked]).toEqual([false, false]);
    expect(rig.tasks.answers).toMatchObject([{ token: FIRST, ok: true }]);
    expect(await token(rig)).toMatchObject({ token: FIRST, acked: true });
    expect(await rig.deps.store.jobs.get(...COPY)).toMatchObject({ stage: { state: 'succeeded', result: COPIED } });
  });

  it('whose answer was lost is sent again: the state machine rejects the second, and that counts', async () => {
    const rig = await copied();
    const answerLost = answering(rig, async (sent, output) => {
      await rig.deps.tasks.succeed(sent, output);
      rig.tasks.rejects.add(sent);
      throw new Error('socket hang up');
    });

    await expect(tell(rig, answerLost)).rejects.toThrow('socket hang up');
    await sweep(rig.deps)({ full: false });
    await sweep(rig.deps)({ full: false });

    expect(rig.tasks.answers).toHaveLength(1);
    expect(await token(rig)).toMatchObject({ acked: true });
  });

  it('that is late, for a state that was entered again meanwhile, does not stand for the newer one, which is told by itself', async () => {
    const rig = await copied();
    let meanwhile = 0;
    const late = answering(rig, async (sent, output) => {
      if (meanwhile++ === 0) {
        // the state has timed out and is entered again while this call is on its way
        rig.tasks.rejects.add(sent);
        rig.clock.advanceMs(1);
        await rig.deps.store.tokens.apply([...COPY], (stored) => ({
          kind: 'write',
          next: { ...stored, token: 'the newer', enteredAtMs: rig.clock.nowMs() },
        }));
      }
      return rig.deps.tasks.succeed(sent, output);
    });

    await tell(rig, late);
    const afterwards = await token(rig);
    await sweep(rig.deps)({ full: false });

    expect(afterwards).toMatchObject({ token: 'the newer', acked: false });
    expect(rig.tasks.answers).toMatchObject([{ token: 'the newer', ok: true }]);
    expect(await token(rig)).toMatchObject({ token: 'the newer', acked: true });
  });

  it('is the dispatch’s own when its state is entered again after the end, however often', async () => {
    const rig = await copied();

    for (const retry of [1, 2]) {
      rig.clock.advanceMs(1);
      await dispatch(rig.deps)(entered(rig, 'data.copy', retry));
    }

    expect(rig.tasks.answers.map((answer) => answer.token)).toEqual(['data.copy/1/1', 'data.copy/1/2']);
    expect((await rig.deps.store.jobs.get(...COPY))?.attempt).toBe(1);
  });
});
