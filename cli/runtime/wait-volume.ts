import type { Volume } from '../api/types.ts';
import { ApiError, CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupts } from './interrupts.ts';
import { createPatience } from './patience.ts';
import type { Session } from './session.ts';

/** Waits for what a volume becomes: `create --wait` and `delete --wait`. */

const LOOK_EVERY_MS = 500;

interface WaitFor {
  readonly id: string;
  /** What is awaited, for the messages: `made`, `deleted`. */
  readonly what: string;
  readonly timeoutMs: number | null;
  /** Undefined when the volume is gone. True: the wait is over. */
  readonly reached: (volume: Volume | undefined) => boolean;
}

const timedOut = ({ id, what }: WaitFor): CliError =>
  new CliError({
    exitCode: EXIT.timedOut,
    code: 'TimedOut',
    message: `The volume is not ${what} yet; the work goes on.`,
    remedy: `See how it is: volmove show ${id}`,
  });

const detached = ({ id, what }: WaitFor): CliError =>
  new CliError({
    exitCode: EXIT.detached,
    code: 'Detached',
    message: `Detached: the volume goes on being ${what}.`,
    remedy: `See how it is: volmove show ${id}`,
  });

/** Undefined: it is gone. */
const lookAt = async (session: Session, id: string, signal: AbortSignal): Promise<Volume | undefined> => {
  try {
    return await session.client.volume(id, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
};

/** Resolves with the volume as it is then, or undefined when it is gone. */
export const waitForVolume = async (session: Session, wanted: WaitFor): Promise<Volume | undefined> => {
  const interrupts = listenForInterrupts(session.deps);
  const endMs = wanted.timeoutMs === null ? Number.POSITIVE_INFINITY : session.deps.nowMs() + wanted.timeoutMs;
  const patience = createPatience(session.deps.nowMs);
  try {
    for (;;) {
      try {
        const volume = await lookAt(session, wanted.id, interrupts.first);
        patience.answered();
        if (wanted.reached(volume)) return volume;
      } catch (error) {
        patience.failed(error);
      }
      const leftMs = endMs - session.deps.nowMs();
      if (leftMs <= 0) throw timedOut(wanted);
      await session.deps.sleep(Math.min(LOOK_EVERY_MS, leftMs), interrupts.first);
    }
  } catch (error) {
    throw interrupts.first.aborted ? detached(wanted) : error;
  } finally {
    interrupts.stop();
  }
};
