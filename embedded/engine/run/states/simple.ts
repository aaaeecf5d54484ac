// Pass, Succeed and Fail: states that are over as soon as they are entered.
import type { FailState, PassState, SucceedState } from '../../definition/types.ts';
import { evaluateAs } from '../../expressions/evaluate.ts';
import type { Template } from '../../expressions/template.ts';
import { StateFailure } from '../../failure.ts';
import type { Draft } from '../draft.ts';
import { depart, leaveState } from '../flow.ts';
import type { Frame } from '../frame.ts';
import { scopeOf } from '../scope.ts';

export async function runPass(draft: Draft, frame: Frame, state: PassState): Promise<void> {
  leaveState(draft, frame, await depart(state, scopeOf(draft, frame), frame.input, state.next));
}

export async function runSucceed(draft: Draft, frame: Frame, state: SucceedState): Promise<void> {
  const effects = { output: state.output, assign: [] };
  leaveState(draft, frame, await depart(effects, scopeOf(draft, frame), frame.input, null));
}

export async function runFail(draft: Draft, frame: Frame, state: FailState): Promise<void> {
  const scope = scopeOf(draft, frame);
  const words = async (name: string, template: Template | undefined): Promise<string | undefined> => {
    if (template === undefined) return undefined;
    const field = { name, template, expected: 'a string' };
    return evaluateAs(field, scope, (value) => (typeof value === 'string' ? value : undefined));
  };
  throw new StateFailure(await words('Error', state.error), await words('Cause', state.cause));
}
