// Checks that need more than one state: targets, reachability, unique names, variables of inner and outer scopes.
import type { Problem } from './problems.ts';
import type { State } from './types.ts';

/** The states of a machine, or of one Map state's item processor. */
export interface ScopeOfStates {
  /** The Map state around it; null for the machine. */
  readonly owner: string | null;
  readonly startAt: string;
  readonly states: readonly State[];
  readonly report: (field: string, problem: string) => void;
}

/** `scopes` lists outer scopes before the inner ones. */
export function checkScopes(scopes: readonly ScopeOfStates[]): Problem[] {
  return [...scopes.flatMap(checkTargets), ...checkNames(scopes), ...checkVariables(scopes)];
}

/** Every state that `state` can go to, with the field that says so. */
function targets(state: State): [field: string, name: string][] {
  switch (state.type) {
    case 'Pass':
    case 'Wait':
      return state.next === null ? [] : [['Next', state.next]];
    case 'Task':
    case 'Map':
      return [
        ...(state.next === null ? [] : [['Next', state.next] satisfies [string, string]]),
        ...state.catch.map(({ next }, index): [string, string] => [`Catch[${index}]/Next`, next]),
      ];
    case 'Choice':
      return [
        ...state.choices.map(({ next }, index): [string, string] => [`Choices[${index}]/Next`, next]),
        ...(state.default === undefined ? [] : [['Default', state.default] satisfies [string, string]]),
      ];
    case 'Succeed':
    case 'Fail':
      return [];
  }
}

function checkTargets(scope: ScopeOfStates): Problem[] {
  const problems: Problem[] = [];
  const byName = new Map(scope.states.map((state) => [state.name, state]));
  const names = [...byName.keys()].join(', ');
  for (const state of scope.states) {
    for (const [field, target] of targets(state)) {
      // An empty target is a missing field, which is reported already.
      if (byName.has(target) || target === '') continue;
      const problem = `leads to '${target}', which is no state of this scope; use one of ${names}`;
      problems.push({ state: state.name, field, problem });
    }
  }
  if (!byName.has(scope.startAt)) {
    if (scope.startAt !== '') scope.report('StartAt', `is '${scope.startAt}', which is no state; use one of ${names}`);
    return problems;
  }
  const reached = reachable(byName, scope.startAt);
  for (const state of scope.states) {
    if (reached.has(state.name)) continue;
    problems.push({
      state: state.name,
      field: 'name',
      problem: 'cannot be reached from StartAt; lead to it or remove it',
    });
  }
  return problems;
}

function reachable(states: ReadonlyMap<string, State>, startAt: string): Set<string> {
  const reached = new Set<string>();
  const open = [startAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = states.get(name);
    if (state === undefined || reached.has(name)) continue;
    reached.add(name);
    open.push(...targets(state).map(([, target]) => target));
  }
  return reached;
}

function checkNames(scopes: readonly ScopeOfStates[]): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { name } of scopes.flatMap((scope) => scope.states)) {
    if (seen.has(name)) {
      problems.push({ state: name, field: 'name', problem: 'is used twice in this machine; rename one of the states' });
    }
    seen.add(name);
  }
  return problems;
}

/** An inner scope reads the variables of the outer ones and may not assign to them. */
function checkVariables(scopes: readonly ScopeOfStates[]): Problem[] {
  const problems: Problem[] = [];
  const assigned = (scope: ScopeOfStates) => scope.states.flatMap((state) => assignments(state));
  for (const inner of scopes) {
    const outer = new Set(
      outerScopes(inner, scopes)
        .flatMap(assigned)
        .map(({ variable }) => variable),
    );
    for (const { state, variable } of assigned(inner)) {
      if (!outer.has(variable)) continue;
      const problem = 'is a variable of an outer scope, which an iteration cannot assign; choose another name';
      problems.push({ state, field: `Assign/${variable}`, problem });
    }
  }
  return problems;
}

function outerScopes(inner: ScopeOfStates, scopes: readonly ScopeOfStates[]): ScopeOfStates[] {
  const around = scopes.find((scope) => scope.states.some(({ name }) => name === inner.owner));
  return around === undefined || around === inner ? [] : [around, ...outerScopes(around, scopes)];
}

function assignments(state: State): { state: string; variable: string }[] {
  const effects = [
    ...('assign' in state ? [state] : []),
    ...('catch' in state ? state.catch : []),
    ...('choices' in state ? state.choices : []),
  ];
  return effects.flatMap(({ assign }) => assign.map(([variable]) => ({ state: state.name, variable })));
}
