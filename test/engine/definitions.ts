// Small definitions for tests.

export const INVOKE = 'arn:aws:states:::lambda:invoke';
export const INVOKE_AND_WAIT = 'arn:aws:states:::lambda:invoke.waitForTaskToken';
export const PUT_EVENTS = 'arn:aws:states:::events:putEvents';

/** A machine of these states; it starts at the first. */
export function machine(states: Record<string, object>, more: object = {}): object {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more };
}

/** A machine with one state, which is its last. */
export function only(state: object, more: object = {}): object {
  const isTerminal = 'Type' in state && (state.Type === 'Succeed' || state.Type === 'Fail');
  return machine({ Only: isTerminal ? state : { End: true, ...state } }, more);
}

export const WORK = { Type: 'Task', Resource: INVOKE, Arguments: { FunctionName: 'work', Payload: {} } };

export const DISPATCH = {
  Type: 'Task',
  Resource: INVOKE_AND_WAIT,
  Arguments: { FunctionName: 'dispatch', Payload: { token: '{% $states.context.Task.Token %}' } },
};

/** A placeholder of the definition for a value given at loading. */
export const placeholder = (name: string) => `\${${name}}`;
