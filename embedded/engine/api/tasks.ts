// SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.
import { z } from 'zod';
import { StateFailure } from '../failure.ts';
import { type Json, MAX_PAYLOAD_BYTES, sizeBytes } from '../json.ts';
import type { LiveExecution, TaskOutcome } from '../run/execution.ts';
import { tokenPlace } from '../tokens.ts';
import { invalidOutput, invalidToken, taskDoesNotExist, taskTimedOut } from './errors.ts';
import { type Machines, operation } from './operation.ts';

const taskToken = z.string().min(1).max(2048);

export const sendTaskSuccess = operation(
  z.object({ taskToken, output: z.string() }),
  async (machines, { taskToken, output }) => {
    await complete(machines, taskToken, { result: checkedOutput(output) });
    return {};
  },
);

export const sendTaskFailure = operation(
  z.object({ taskToken, error: z.string().max(256).nullish(), cause: z.string().max(32_768).nullish() }),
  async (machines, { taskToken, error, cause }) => {
    await complete(machines, taskToken, { failure: new StateFailure(error ?? undefined, cause ?? undefined) });
    return {};
  },
);

/** Heartbeats have no deadline here; the answer tells whether the task still waits. */
export const sendTaskHeartbeat = operation(z.object({ taskToken }), (machines, { taskToken }) => {
  if (!findExecution(machines, taskToken).hasToken(taskToken)) throw taskTimedOut();
  return {};
});

async function complete(machines: Machines, token: string, outcome: TaskOutcome): Promise<void> {
  const done = await findExecution(machines, token).completeTask(token, outcome);
  if (!done) throw taskTimedOut();
}

/** The running execution that the token names. Throws InvalidToken, TaskDoesNotExist or TaskTimedOut. */
function findExecution(machines: Machines, token: string): LiveExecution {
  const place = tokenPlace(token);
  if (place === undefined) throw invalidToken();
  const machine = machines.byName(place.machine);
  if (machine?.heads.get(place.execution) === undefined) throw taskDoesNotExist();
  const running = machine.running(place.execution);
  if (running === undefined) throw taskTimedOut();
  return running;
}

function checkedOutput(output: string): Json {
  if (sizeBytes(output) > MAX_PAYLOAD_BYTES) throw invalidOutput(`longer than ${MAX_PAYLOAD_BYTES} bytes`);
  try {
    return JSON.parse(output) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidOutput(error.message);
    throw error;
  }
}
