// events:putEvents: puts entries on a bus; Detail may be an object, and the execution is added to Resources.
import { StateFailure } from '../failure.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';

/** An entry in the shape of the EventBridge API: `Detail` is JSON text. */
export type PutEventsEntry = Readonly<Record<string, Json>> & { readonly Detail?: string };

export interface PutEventsResult {
  readonly FailedEntryCount: number;
  readonly Entries: readonly {
    readonly EventId?: string;
    readonly ErrorCode?: string;
    readonly ErrorMessage?: string;
  }[];
}

/** Rejects when the bus could not be reached. */
export type PutEvents = (entries: readonly PutEventsEntry[]) => Promise<PutEventsResult>;

/** `origins`: the ARNs of the state machine and the execution. */
export async function callPutEvents(put: PutEvents, given: JsonObject, origins: readonly string[]): Promise<Json> {
  const entries = given.Entries;
  const raw = Array.isArray(entries) ? entries.filter((entry): entry is JsonObject => isObject(entry)) : [];
  let result: PutEventsResult;
  try {
    result = await put(raw.map((entry) => entryOf(entry, origins)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StateFailure('EventBridge.EventBridgeException', `The events could not be put on the bus: ${reason}`);
  }
  if (result.FailedEntryCount > 0) throw new StateFailure('EventBridge.FailedEntry', JSON.stringify(result));
  return { FailedEntryCount: 0, Entries: result.Entries.map((entry) => ({ ...entry })) };
}

function entryOf(entry: JsonObject, origins: readonly string[]): PutEventsEntry {
  const { Detail: detail, Resources: resources, ...rest } = entry;
  const named = Array.isArray(resources) ? resources : [];
  return {
    ...rest,
    Resources: [...named, ...origins],
    ...(detail === undefined ? {} : { Detail: typeof detail === 'string' ? detail : JSON.stringify(detail) }),
  };
}
