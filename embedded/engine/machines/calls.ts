// The calls of tasks, by their resource.
import type { TaskState } from '../definition/types.ts';
import type { Json } from '../json.ts';
import { argumentsObject } from '../resources/arguments.ts';
import { callPutEvents } from '../resources/events.ts';
import { callLambda } from '../resources/lambda.ts';
import type { RunContext } from '../run/draft.ts';
import type { EngineSettings } from './settings.ts';

export async function callTask(
  { dependencies, closing }: EngineSettings,
  { execution, machine }: RunContext,
  { resource }: TaskState,
  given: Json,
): Promise<Json> {
  const args = argumentsObject(resource, given);
  switch (resource.resourceType) {
    case 'lambda':
      return callLambda((...call) => dependencies.invokeLambda(...call), args, closing);
    case 'events':
      return callPutEvents((entries) => dependencies.putEvents(entries), args, [machine.arn, execution.arn]);
  }
}
