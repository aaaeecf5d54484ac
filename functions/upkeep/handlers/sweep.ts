import * as z from 'zod';
import { step } from '../../workflow/handler.ts';
import { sweep } from '../sweep.ts';

/** Called by a schedule. An AWS schedule sends its own event: that is a plain pass. */
export const handler = step(
  z.object({ full: z.boolean().default(false), tidy: z.boolean().default(false) }),
  (deps) => async (command) => {
    const swept = await sweep(deps)(command);
    if (swept.problems.length > 0) {
      throw new AggregateError(
        swept.problems.map((p) => p.error),
        `The sweeper could not look after ${swept.problems.length} things: ${swept.problems.map((p) => `${p.id}: ${String(p.error)}`).join('; ')}`,
      );
    }
    return { volumes: swept.volumes, migrations: swept.migrations };
  },
);
