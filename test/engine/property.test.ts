import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from './fake-clock.ts';
import { type RandomMachine, randomMachine } from './random-machine.ts';
import { wellFormed } from './well-formed.ts';
import { createWorld, FunctionError, type World, type WorldOptions } from './world.ts';

/** A world whose function follows the script; `slow` answers 6 seconds later. */
async function worldOf({ definition, script }: RandomMachine, more: Partial<WorldOptions> = {}): Promise<World> {
  let calls = 0;
  const world = await createWorld({
    ...more,
    machines: { main: definition },
    lambda: (): unknown => {
      const step = script[calls] ?? 'succeed';
      calls += 1;
      if (step === 'slow') {
        return new Promise<null>((resolve) => world.clock.setTimer(world.clock.nowMs() + 6000, () => resolve(null)));
      }
      if (step !== 'succeed') throw new FunctionError(step);
      return null;
    },
  });
  return world;
}

describe('any machine', () => {
  it('comes to an end with a well-formed history', async () => {
    await fc.assert(
      fc.asyncProperty(randomMachine, async (random) => {
        const world = await worldOf(random);

        const { status } = await world.run();

        const events = await world.history('run');
        expect(status).not.toBe('RUNNING');
        expect(wellFormed(events)).toEqual([]);
        expect(world.faults).toEqual([]);
        await world.engine.close();
      }),
      { numRuns: 150 },
    );
  });

  it('stopped at any moment, ends as ABORTED with a well-formed history', async () => {
    await fc.assert(
      fc.asyncProperty(randomMachine, fc.integer({ min: 0, max: 6000 }), async (random, afterMs) => {
        const world = await worldOf(random);
        const executionArn = await world.start();
        await world.pass(afterMs);
        const before = await world.describe('run');

        await world.call('StopExecution', { executionArn });

        const { status } = await world.describe('run');
        expect(status).toBe(before.status === 'RUNNING' ? 'ABORTED' : before.status);
        expect(wellFormed(await world.history('run'))).toEqual([]);
        await world.engine.close();
      }),
      { numRuns: 60 },
    );
  });

  it('reads the same after a restart as before', async () => {
    await fc.assert(
      fc.asyncProperty(randomMachine, async (random) => {
        const world = await worldOf(random);
        await world.run();

        const second = await world.restart();

        expect(await second.describe('run')).toEqual(await world.describe('run'));
        expect(await second.history('run')).toEqual(await world.history('run'));
        await Promise.all([world.engine.close(), second.engine.close()]);
      }),
      { numRuns: 40 },
    );
  });

  it('killed at any moment, goes on to its end with a well-formed history', async () => {
    await fc.assert(
      fc.asyncProperty(randomMachine, fc.integer({ min: 0, max: 6000 }), fc.nat(), async (random, afterMs, cut) => {
        const world = await worldOf(random);
        await world.start();
        await world.pass(afterMs);
        const path = join(world.directory, 'main', 'run.jsonl');
        const text = readFileSync(path, 'utf8');
        await world.engine.close();
        const firstLine = text.indexOf('\n') + 1;
        writeFileSync(path, text.slice(0, firstLine + (cut % (text.length - firstLine + 1))));

        const second = await worldOf(random, {
          directory: world.directory,
          clock: createFakeClock(world.clock.nowMs()),
        });
        while ((await second.describe('run')).status === 'RUNNING') {
          await second.quiet();
          second.clock.fireNext();
        }

        expect(wellFormed(await second.history('run'))).toEqual([]);
        expect(second.faults).toEqual([]);
        await second.engine.close();
      }),
      { numRuns: 100 },
    );
  });
});
