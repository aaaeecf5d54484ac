// What expressions see: `$states` and the variables of the frame's scope and of those around it.
import type { Scope } from '../expressions/evaluate.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Draft } from './draft.ts';
import type { Frame } from './frame.ts';

export interface ScopeExtras {
  readonly result?: Json;
  readonly errorOutput?: Json;
  readonly token?: string;
  /** The item that a Map state's ItemSelector is evaluated for. */
  readonly item?: { readonly index: number; readonly value: Json };
}

export function scopeOf(draft: Draft, frame: Frame, extras: ScopeExtras = {}): Scope {
  const { result, errorOutput } = extras;
  const states = {
    input: frame.input,
    context: contextObject(draft, frame, extras),
    ...(result === undefined ? {} : { result }),
    ...(errorOutput === undefined ? {} : { errorOutput }),
  };
  return {
    state: frame.state,
    enteredEventId: frame.enteredEventId,
    bindings: { ...variablesOf(draft, frame), states },
  };
}

/** Outer scopes first: names are unique across them, the loader sees to it. */
function variablesOf(draft: Draft, frame: Frame): Record<string, Json> {
  if (frame.iteration === null) return { ...frame.variables };
  return { ...variablesOf(draft, draft.frame(frame.iteration.parentId)), ...frame.variables };
}

function contextObject(draft: Draft, frame: Frame, { token, item }: ScopeExtras): JsonObject {
  const { execution, machine } = draft.context;
  const around = item ?? itemAround(draft, frame);
  const heldToken = token ?? ('token' in frame.phase ? frame.phase.token : null);
  return {
    Execution: {
      Id: execution.arn,
      Input: execution.input,
      Name: execution.name,
      RoleArn: execution.roleArn,
      StartTime: isoTime(execution.startMs),
      RedriveCount: 0,
    },
    State: {
      EnteredTime: isoTime(frame.enteredAtMs),
      Name: frame.state,
      RetryCount: retryCount(frame),
    },
    StateMachine: { Id: machine.arn, Name: machine.name },
    ...(heldToken === null ? {} : { Task: { Token: heldToken } }),
    ...(around === undefined ? {} : { Map: { Item: { Index: around.index, Value: around.value } } }),
  };
}

function itemAround(draft: Draft, frame: Frame): ScopeExtras['item'] | undefined {
  if (frame.iteration === null) return undefined;
  const { parentId, index } = frame.iteration;
  const { phase } = draft.frame(parentId);
  return phase.kind === 'mapping' ? { index, value: phase.items[index] ?? null } : undefined;
}

export function retryCount(frame: Frame): number {
  return frame.retries.reduce((sum, count) => sum + count, 0);
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
