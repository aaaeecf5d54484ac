import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { volmoveError } from '../../domain/error.ts';
import { type Deps, lambdaDeps } from '../shared/deps.ts';

/** What every step of migrate-volume is given: exactly the execution's input. */
export const RUN = z.object({ migrationId: z.uuid(), run: z.int().positive() });
export type Run = z.infer<typeof RUN>;

/**
 * A workflow Lambda: parse, call the use case, answer. What it throws keeps its name, which is the stable code that the
 * state machine's Catch and Retry see.
 */
export const step = <S extends z.ZodType>(
  schema: S,
  use: (deps: Deps) => (command: z.infer<S>) => Promise<object | undefined>,
) => {
  const deps = lambdaDeps();
  return middy<unknown, object>()
    .before((request) => {
      const parsed = schema.safeParse(request.event);
      if (!parsed.success)
        throw volmoveError('InvalidRequest', {
          reason: `the state machine sent what this step does not take: ${z.prettifyError(parsed.error)}`,
        });
      request.event = parsed.data;
    })
    .handler(async (event: unknown, _context: Context) => (await use(deps)(event as z.infer<S>)) ?? {});
};
