import { parentPort } from 'node:worker_threads';
import { tell } from '../helpers/sim/tell.ts';

/** Tells the stories of the seeds that it is given, one after the other. */

export interface Told {
  readonly seed: number;
  readonly broken: string | undefined;
  /** The end of the schedule of a story that broke. */
  readonly lastSteps: readonly string[];
  readonly saw: readonly string[];
  readonly steps: number;
}

const SHOWN_STEPS = 60;

const tellOne = async (seed: number): Promise<Told> => {
  try {
    const { broken, trace, saw } = await tell(seed);
    const lastSteps = broken === undefined ? [] : trace.slice(-SHOWN_STEPS);
    return { seed, broken, lastSteps, saw: [...saw], steps: trace.length };
  } catch (error) {
    const broken = `the simulation itself has failed: ${error instanceof Error ? error.stack : String(error)}`;
    return { seed, broken, lastSteps: [], saw: [], steps: 0 };
  }
};

parentPort?.on('message', ({ from, end }: { from: number; end: number }) => {
  const tellAll = async (): Promise<void> => {
    for (let seed = from; seed < end; seed++) parentPort?.postMessage(await tellOne(seed));
    parentPort?.postMessage('done');
  };
  void tellAll();
});
