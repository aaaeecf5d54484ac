import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { only } from './definitions.ts';
import { createFakeClock } from './fake-clock.ts';
import { createWorld, temporaryDirectory } from './world.ts';

const CHILD = join(import.meta.dirname, 'kill-child.ts');

/** Runs the child until it has said this many lines, then kills it with -9; true when it was done before. */
async function runUntil(directory: string, callsPath: string, lines: number): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, directory, callsPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let seen = 0;
  let isDone = false;
  for await (const line of createInterface({ input: child.stdout })) {
    seen += 1;
    if (line === 'all done') isDone = true;
    if (seen === lines) child.kill('SIGKILL');
  }
  await exited;
  return isDone;
}

describe('kill -9', () => {
  it('loses no completed step and no execution, however often it comes', async () => {
    const directory = temporaryDirectory();
    const callsPath = join(directory, 'calls.log');
    const engineDirectory = join(directory, 'engine');

    for (const lines of [1, 9, 30, 47]) await runUntil(engineDirectory, callsPath, lines);
    const isDone = await runUntil(engineDirectory, callsPath, Number.POSITIVE_INFINITY);

    expect(isDone).toBe(true);
    const steps = new Map<string, number[]>();
    for (const line of readFileSync(callsPath, 'utf8').trim().split('\n')) {
      const [name = '', n] = line.split(' ');
      steps.set(name, [...(steps.get(name) ?? []), Number(n)]);
    }
    const everyStep = Array.from({ length: 20 }, (_, index) => index);
    expect(steps.size).toBe(8);
    for (const calls of steps.values()) {
      expect(calls).toEqual(calls.toSorted((one, other) => one - other));
      expect([...new Set(calls)]).toEqual(everyStep);
    }
    const clock = createFakeClock(Date.now());
    const world = await createWorld({
      machines: { count: only({ Type: 'Succeed' }) },
      directory: engineDirectory,
      clock,
    });
    for (const name of steps.keys()) expect(await world.describe(name)).toMatchObject({ output: '20' });
  });
});
