// Choice: the first rule whose condition is true says what comes next; else Default does.
import type { ChoiceState } from '../../definition/types.ts';
import { evaluateAs } from '../../expressions/evaluate.ts';
import { STATES_NO_CHOICE, StateFailure } from '../../failure.ts';
import type { Draft } from '../draft.ts';
import { depart, leaveState } from '../flow.ts';
import type { Frame } from '../frame.ts';
import { scopeOf } from '../scope.ts';

export async function runChoice(draft: Draft, frame: Frame, state: ChoiceState): Promise<void> {
  const scope = scopeOf(draft, frame);
  for (const [index, rule] of state.choices.entries()) {
    const field = { name: `Choices[${index}]/Condition`, template: rule.condition, expected: 'a boolean' };
    const matches = await evaluateAs(field, scope, (value) => (typeof value === 'boolean' ? value : undefined));
    // The rule's own Output and Assign; those of the state are for Default only.
    if (matches) return leaveState(draft, frame, await depart(rule, scope, frame.input, rule.next));
  }
  if (state.default === undefined) {
    throw new StateFailure(
      STATES_NO_CHOICE,
      `No rule of the state '${state.name}' matches its input, and it has no Default; add one.`,
    );
  }
  leaveState(draft, frame, await depart(state, scope, frame.input, state.default));
}
