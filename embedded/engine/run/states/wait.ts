// Wait: sleeps for a number of seconds or until a time; a time that has passed is over at once.
import { timestampMs } from '../../definition/timestamp.ts';
import type { WaitState } from '../../definition/types.ts';
import { evaluateAs } from '../../expressions/evaluate.ts';
import type { Draft } from '../draft.ts';
import { depart, leaveState } from '../flow.ts';
import type { Frame } from '../frame.ts';
import { scopeOf } from '../scope.ts';
import { wholeSeconds } from './seconds.ts';

export async function beginWait(draft: Draft, frame: Frame, state: WaitState): Promise<void> {
  const { kind, template } = state.until;
  const scope = scopeOf(draft, frame);
  let untilMs: number;
  if (kind === 'Seconds') {
    const field = { name: kind, template, expected: 'a whole number from 0 to 99999999' };
    untilMs = draft.nowMs + (await evaluateAs(field, scope, (value) => wholeSeconds(value, 0))) * 1000;
  } else {
    const field = { name: kind, template, expected: 'a time such as 2030-01-31T12:00:00Z' };
    untilMs = await evaluateAs(field, scope, timestampMs);
  }
  draft.put({ ...frame, phase: { kind: 'sleeping', untilMs } });
}

export async function endWait(draft: Draft, frame: Frame, state: WaitState): Promise<void> {
  leaveState(draft, frame, await depart(state, scopeOf(draft, frame), frame.input, state.next));
}
