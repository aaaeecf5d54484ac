import { abortReason } from '../../../../host-agent/device/errors.ts';
import { noAnswer } from '../../../../host-agent/nbd/connect.ts';
import type { Client } from './peers.ts';

/** The client's end of one connection, with what it waits for. */
export const createWaiting = (client: Client, answerTimeoutMs: number, onBroken: () => void) => {
  const waiting = new Set<(error: Error) => void>();
  let broken: Error | undefined;
  const breakAll = (error: Error): void => {
    if (broken || !client.lives()) return;
    broken = error;
    for (const reject of waiting) reject(error);
    waiting.clear();
    onBroken();
  };
  const ask = <T>(send: () => Promise<T>, patience: number, signal: AbortSignal | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      const aborted = (): void => breakAll(abortReason(signal as AbortSignal));
      const patienceMs = answerTimeoutMs * patience;
      const forget = client.sleepers.after(patienceMs, () => breakAll(noAnswer(patienceMs)));
      const end = (): void => {
        forget();
        signal?.removeEventListener('abort', aborted);
        waiting.delete(fail);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      signal?.addEventListener('abort', aborted, { once: true });
      waiting.add(fail);
      send().then((value) => {
        end();
        resolve(value);
      }, fail);
    });
  return { ask, breakAll };
};
