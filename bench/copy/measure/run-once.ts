import type { Contender, Place } from '../contenders/contender.ts';
import { dropCaches } from './caches.ts';
import { run } from './launch.ts';
import { startServer } from './server.ts';

/** One run of one contender, from its first program's start to its last one's end. */
export interface OneRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the last program. */
  readonly stdout: string;
}

const steps = async (contender: Contender, place: Place, signal: AbortSignal): Promise<OneRun> => {
  let sum: OneRun = { seconds: 0, cpuSeconds: 0, stdout: '' };
  for (const step of contender.steps(place)) {
    switch (step.kind) {
      case 'run': {
        const { seconds, cpuSeconds, stdout } = await run(step.command, signal);
        sum = { seconds: sum.seconds + seconds, cpuSeconds: sum.cpuSeconds + cpuSeconds, stdout };
        break;
      }
      case 'drop-caches':
        await dropCaches([place.source, place.destination], signal);
    }
  }
  return sum;
};

export const runOnce = async (contender: Contender, place: Place, signal: AbortSignal): Promise<OneRun> => {
  if (!contender.server) return steps(contender, place, signal);
  const server = await startServer(contender.server(place), signal);
  try {
    const before = server.cpuSeconds();
    const one = await steps(contender, place, signal);
    return { ...one, cpuSeconds: one.cpuSeconds + server.cpuSeconds() - before };
  } finally {
    await server.stop();
  }
};
