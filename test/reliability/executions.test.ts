import { describe, expect, it } from 'vitest';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { createRig } from '../helpers/rig.ts';
import type { Blow, Scene } from '../helpers/sim/script.ts';
import { play } from '../helpers/sim/script.ts';
import type { Turn } from '../helpers/sim/turns.ts';
import { ATTACHED, MIGRATION, REPAIRED } from '../workflow/scenes.ts';
import { walkTo } from '../workflow/walk.ts';

/**
 * An execution ends from outside (stopped in the console, timed out, States.Runtime) and nobody is told: its status event is
 * lost. Unlike in a death, the function that it was waiting for does not die with it: it goes on as a zombie, with every write
 * that it was about to make.
 */

const ENDS = ['ABORTED', 'FAILED'] as const;

const endAt = (at: number, state: (typeof ENDS)[number]) => {
  let count = 0;
  let struck: Turn | undefined;
  const blow: Blow = (turn, sim) => {
    const { name } = turn.thread;
    const execution = sim.engine
      .executions()
      .find((one) => one.status.state === 'RUNNING' && name === `${one.name} ${one.state}`);
    if (!execution || ++count !== at) return 'none';
    struck = turn;
    sim.engine.abort(execution, state);
    return 'none';
  };
  return { blow, count: () => count, struck: () => struck };
};

const countTurns = async (scene: Scene): Promise<number> => {
  const { blow, count } = endAt(0, 'ABORTED');
  await play(scene, blow);
  return count();
};

describe.each([MIGRATION, ATTACHED, REPAIRED])('$name', (scene) => {
  it('whose execution ends in the middle of a step, at any of its reads and writes, ends whole', async () => {
    const turns = await countTurns(scene);
    const broken: string[] = [];

    for (let at = 1; at <= turns; at++) {
      const { blow, struck } = endAt(at, 'FAILED');
      const played = await play(scene, blow);
      const turn = struck();
      if (played.broken !== undefined) broken.push(`${at}: ${turn?.thread.name} ${turn?.label}: ${played.broken}`);
    }

    expect(broken).toEqual([]);
    expect(turns).toBeGreaterThan(20);
  });
});

describe('a migration whose execution waits for an agent', () => {
  it.each(ENDS)('and ends %s is rolled back by a run of its own, which says why', async (state) => {
    let struck = false;
    const blow: Blow = (turn, sim) => {
      const execution = sim.engine.executions().find((one) => one.status.state === 'RUNNING');
      if (!struck && /^reads chunk 1/.test(turn.label) && execution) {
        struck = true;
        sim.engine.abort(execution, state);
      }
      return 'none';
    };

    const { sim, broken } = await play(MIGRATION, blow);
    const [migration] = sim.table.peek.migrations();

    expect(struck).toBe(true);
    expect(broken).toBeUndefined();
    expect(sim.engine.executions().map(({ name }) => name)).toEqual([`${migration?.id}-1`, `${migration?.id}-2`]);
    expect(migration?.stage).toMatchObject({ state: 'failed', reason: { code: 'ExecutionEnded' } });
  });
});

describe('an execution that has timed out as a whole', () => {
  it('is found by the sweeper, and its claim is taken over by a run that goes straight back', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    rig.executions.set(`${MIGRATION_ID}-1`, { state: 'TIMED_OUT', cause: '' });
    rig.clock.advanceMs(3_000);

    await sweep(rig.deps)({ full: false });

    expect((await rig.volume()).claim).toMatchObject({ run: 2, rollback: { code: 'ExecutionEnded' } });
    expect(rig.executions.started).toMatchObject([{ name: `${MIGRATION_ID}-2`, input: { run: 2 } }]);
  });
});
