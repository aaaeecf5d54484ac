import { describe, expect, it } from 'vitest';
import { runObjectName } from '../../domain/names.ts';
import { VOLUME_ID } from '../helpers/factories.ts';
import { play } from '../helpers/sim/script.ts';
import { RETRIED, RETRIED_ANEW } from './scenes.ts';

/** Retries over the real state machine file. */

describe.each([RETRIED, RETRIED_ANEW])('$name', (scene) => {
  it('fails first, and succeeds then, under one id: each run told once, nothing left over', async () => {
    const { sim, checks, broken } = await play(scene);

    const [migration] = sim.table.peek.migrations();
    const told = sim.events.map(({ detail }) => `${detail.event_type.split('.').at(-1)} ${detail.run}`);
    const ends = told.filter((one) => /^(start|end)/.test(one));
    expect(broken).toBeUndefined();
    expect(sim.problems).toEqual([]);
    expect([...checks.outcomes.values()]).toEqual(['error', 'success']);
    expect(migration).toMatchObject({ run: 2, stage: { state: 'succeeded' }, pastEnds: [{ run: 1 }] });
    expect(ends).toEqual(['start 1', 'end 1', 'start 2', 'end 2']);
    expect(sim.engine.executions().map(({ name, status }) => [name.slice(-2), status.state])).toEqual([
      ['-1', 'FAILED'],
      ['-2', 'SUCCEEDED'],
    ]);
    expect(sim.world.objects.size).toBe(1);
  });
});

describe(RETRIED.name, () => {
  it('goes on with the object that its first run has made', async () => {
    const { sim } = await play(RETRIED);

    const prepares = sim.table.peek.jobs().filter(({ kind }) => kind === 'destination.prepare');
    const names = prepares.map(({ input }) => 'objectName' in input && input.objectName);
    const [migration] = sim.table.peek.migrations();
    const made = runObjectName(VOLUME_ID, migration?.id ?? '', 1);
    expect(names).toEqual([made, made]);
  });
});
