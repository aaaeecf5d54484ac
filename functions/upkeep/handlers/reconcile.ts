import * as z from 'zod';
import { step } from '../../workflow/handler.ts';
import { reconcile } from '../reconcile.ts';

/** "Step Functions Execution Status Change" of an execution that has ended badly (EventBridge, source aws.states). */
const STATUS_CHANGE = z.object({
  detail: z.object({
    name: z.string(),
    status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT']),
    input: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

const NAME = /^([0-9a-f-]{36})-(\d+)$/;

export const handler = step(STATUS_CHANGE, (deps) => async ({ detail }) => {
  const match = NAME.exec(detail.name);
  if (!match?.[1]) return undefined;
  const status = { state: detail.status, cause: [detail.error, detail.cause].filter(Boolean).join(': ') };
  await reconcile(deps)({ migrationId: match[1], run: Number(match[2]), status });
  return undefined;
});
