import * as z from 'zod';

/** What the agent's configuration says of every backend, whichever driver it has. */

export const NAME = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,60}$/, 'letters, digits, dot, dash and underscore, 60 at the most');

/** Copies and read-backs at once; each of them holds a window of buffers. */
export const CONCURRENCY = z.int().positive().max(64);

export const BACKEND = {
  name: NAME,
  /** Of this backend; left out: as many as the host may run. */
  concurrency: CONCURRENCY.optional(),
};
