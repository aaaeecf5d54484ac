import { Worker } from 'node:worker_threads';
import type { Told } from './worker.ts';

/** Many stories in several threads. Which thread tells which makes no difference: a story depends on its seed alone. */

export interface Search {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly onProgress?: (done: number) => void;
}

export interface Found {
  readonly seeds: number;
  readonly violations: readonly Told[];
  /** In how many stories each thing happened. */
  readonly saw: ReadonlyMap<string, number>;
  readonly steps: number;
  readonly seconds: number;
}

const SEEDS_AT_ONCE = 5;
/** What a killed party was waiting for is never let go: a thread that has told so many stories makes room for another. */
const SEEDS_OF_A_THREAD = 500;

export const search = async ({ from, seeds, jobs, onProgress }: Search): Promise<Found> => {
  const began = performance.now();
  const saw = new Map<string, number>();
  const violations: Told[] = [];
  const end = from + seeds;
  let next = from;
  let done = 0;
  let steps = 0;

  const note = (told: Told): void => {
    done += 1;
    steps += told.steps;
    for (const what of told.saw) saw.set(what, (saw.get(what) ?? 0) + 1);
    if (told.broken !== undefined) violations.push(told);
    onProgress?.(done);
  };
  const tellSome = (worker: Worker): void => {
    const first = next;
    next = Math.min(end, first + SEEDS_AT_ONCE);
    worker.postMessage({ from: first, end: next });
  };
  const oneThread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url));
      let told = 0;
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      worker.on('message', (message: Told | 'done') => {
        if (message !== 'done') {
          told += 1;
          note(message);
        } else if (next < end && told < SEEDS_OF_A_THREAD) tellSome(worker);
        else void worker.terminate();
      });
      tellSome(worker);
    });
  const work = async (): Promise<void> => {
    while (next < end) await oneThread();
  };

  const threads = Math.max(1, Math.min(jobs, Math.ceil(seeds / SEEDS_AT_ONCE)));
  await Promise.all(Array.from({ length: threads }, work));
  violations.sort((a, b) => a.seed - b.seed);
  return { seeds: done, violations, saw, steps, seconds: (performance.now() - began) / 1000 };
};
