// The Arguments of a task, once evaluated: what an expression made is checked as strictly as what a definition says.
import type { TaskResource } from '../definition/resources.ts';
import { STATES_RUNTIME, StateFailure } from '../failure.ts';
import { isObject, type Json, type JsonObject, typeName } from '../json.ts';

/** Throws States.Runtime, which no Retry and no Catch takes: a wrong definition does not become right by trying. */
export function checkArguments(resource: TaskResource, given: Json): void {
  const object = argumentsObject(resource, given);
  for (const key of Object.keys(object)) {
    if (!resource.argumentKeys.includes(key)) {
      const known = resource.argumentKeys.join(', ');
      throw runtime(`The argument '${key}' is not supported for ${resource.arn}; remove it (supported: ${known}).`);
    }
  }
  for (const key of resource.requiredKeys) {
    if (object[key] === undefined) throw runtime(`The argument '${key}' of ${resource.arn} is missing; add it.`);
  }
  if (resource.resourceType === 'lambda' && typeof object.FunctionName !== 'string') {
    throw runtime(`FunctionName is a ${typeName(object.FunctionName)}; make it a function's name or ARN.`);
  }
  const entries = object.Entries;
  if (resource.resourceType === 'events' && !(Array.isArray(entries) && entries.every(isObject))) {
    throw runtime(`Entries is not an array of objects; correct the Arguments.`);
  }
}

export function argumentsObject(resource: TaskResource, given: Json): JsonObject {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  throw runtime(`The Arguments of ${resource.arn} are a ${typeName(given)}; make them an object.`);
}

function runtime(cause: string): StateFailure {
  return new StateFailure(STATES_RUNTIME, cause);
}
