import { describe, expect, it } from 'vitest';
import { type Blow, type Played, play, restartAgent, type Scene } from '../helpers/sim/script.ts';
import type { Sim } from '../helpers/sim/sim.ts';
import type { Fault, Turn } from '../helpers/sim/turns.ts';
import { LOCKED, MIGRATION, MOVED_INSIDE, REFUSED_INSIDE, REPAIRED, SCENES } from './scenes.ts';

/** Every writer dies once at every single write, before it and after it, and the sweeper finishes what is left. */

interface Death {
  readonly name: string;
  readonly fault: Fault;
  /** The execution ends with its function: nobody retries, nothing is caught. */
  readonly takesExecution: boolean;
}

const DEATHS: readonly Death[] = [
  { name: 'dies before it', fault: 'dies before', takesExecution: false },
  { name: 'dies after it', fault: 'dies after', takesExecution: false },
  { name: 'dies before it with its execution', fault: 'dies before', takesExecution: true },
  { name: 'dies after it with its execution', fault: 'dies after', takesExecution: true },
  { name: 'never hears of it', fault: 'answer lost', takesExecution: false },
];

/** Counts what changes something; `at` 0 never strikes. */
const strikeAt = (
  at: number,
  { fault, takesExecution }: Death,
): { blow: Blow; count: () => number; struck: () => Turn | undefined } => {
  let count = 0;
  let struck: Turn | undefined;
  const blow = (turn: Turn, sim: Sim): Fault => {
    if (!turn.changes || turn.thread.name === 'owner' || ++count !== at) return 'none';
    struck = turn;
    const { hostId, name } = turn.thread;
    if (hostId !== null && fault !== 'answer lost') queueMicrotask(() => restartAgent(sim, hostId));
    const execution = sim.engine.executions().find((x) => name === `${x.name} ${x.state}`);
    if (execution && takesExecution) sim.engine.abort(execution, 'ABORTED');
    return fault;
  };
  return { blow, count: () => count, struck: () => struck };
};

const countChanges = async (scene: Scene): Promise<{ changes: number; undisturbed: Played }> => {
  const { blow, count } = strikeAt(0, { name: '', fault: 'none', takesExecution: false });
  const undisturbed = await play(scene, blow);
  return { changes: count(), undisturbed };
};

describe.each(SCENES)('$name', (scene) => {
  it('comes to its end undisturbed', async () => {
    const { changes, undisturbed } = await countChanges(scene);

    expect(undisturbed.broken).toBeUndefined();
    expect(undisturbed.sim.problems).toEqual([]);
    expect(changes).toBeGreaterThan(5);
  });

  it.each(DEATHS)('ends whole, whichever write it is whose writer $name', async (death) => {
    const { changes } = await countChanges(scene);
    const broken: string[] = [];

    for (let at = 1; at <= changes; at++) {
      const { blow, struck } = strikeAt(at, death);
      const played = await play(scene, blow);
      const turn = struck();
      const where = `${at}: ${turn?.thread.name} ${turn?.label}`;
      if (played.broken !== undefined) broken.push(`${where}: ${played.broken}`);
    }

    expect(broken).toEqual([]);
  });
});

describe.each([MIGRATION, LOCKED, REPAIRED, MOVED_INSIDE, REFUSED_INSIDE])('$name', (scene) => {
  it.each(DEATHS.filter(({ takesExecution }) => !takesExecution))(
    'still succeeds when a function or an agent $name',
    async (death) => {
      const { changes } = await countChanges(scene);
      const failed: string[] = [];

      for (let at = 1; at <= changes; at++) {
        const { blow, struck } = strikeAt(at, death);
        const { checks } = await play(scene, blow);
        const turn = struck();
        const succeeded = [...checks.outcomes.values()].includes('success');
        if (turn?.thread.kind !== 'api' && !succeeded) failed.push(`${at}: ${turn?.thread.name} ${turn?.label}`);
      }

      expect(failed).toEqual([]);
    },
  );
});
