import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = Number(process.env.TEST_DEADLINE_MS ?? 170_000);
/** Many wait beside each other, and a guest has one slow processor for them and for what they wait for. */
const LOOK_EVERY_MS = process.env.IN_GUEST === '1' ? 1_500 : 400;

/**
 * What `look` makes of `now`, as soon as it makes anything of it. Whatever is thrown is the end of the wait; when the time is over,
 * what was seen last is told.
 */
export const eventually = async <N, T>(
  what: string,
  now: () => Promise<N>,
  look: (seen: N) => T | undefined | false,
  everyMs = LOOK_EVERY_MS,
): Promise<T> => {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const seen = await now();
    const found = look(seen);
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${DEADLINE_MS / 1000} s; it is ${JSON.stringify(seen)}`);
    await sleep(everyMs);
  }
};
