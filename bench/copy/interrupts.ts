import { constants } from 'node:os';
import process from 'node:process';

/** Ctrl-C ends the children and removes what was made; the second one ends this process at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

class Interrupted extends Error {}

/** The exit status of `act`, or 128 and the signal's number as a shell has it. */
export const interruptible = async (act: (signal: AbortSignal) => Promise<number>): Promise<number> => {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (name: NodeJS.Signals): void => {
    received = name;
    for (const each of SIGNALS) process.off(each, stop);
    controller.abort(new Interrupted(name));
  };
  for (const each of SIGNALS) process.on(each, stop);
  try {
    return await act(controller.signal);
  } catch (error) {
    if (!(error instanceof Interrupted) || !received) throw error;
    return 128 + constants.signals[received];
  } finally {
    for (const each of SIGNALS) process.off(each, stop);
  }
};
