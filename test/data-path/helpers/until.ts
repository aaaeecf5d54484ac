import { setImmediate } from 'node:timers/promises';

const MAX_TURNS = 200_000;

/** Lets everything else go on until the condition holds; gives up after very many turns of the event loop. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (await holds()) return;
    await setImmediate();
  }
  throw new Error(`it never came: ${what}`);
};

export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

export const deferred = (): Deferred => {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};
