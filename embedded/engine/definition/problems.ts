// What is wrong with a definition: always all of it, each with its place and what to do.

export interface Problem {
  /** The state's name; null for the machine itself. */
  readonly state: string | null;
  /** The field, or its path such as `Retry[0]/ErrorEquals`. */
  readonly field: string;
  readonly problem: string;
}

/** A machine was refused at load. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  readonly problems: readonly Problem[];

  constructor(machine: string, problems: readonly Problem[]) {
    const lines = problems.map(({ state, field, problem }) => {
      const place = state === null ? 'machine' : `state '${state}'`;
      return `  ${place}, ${field}: ${problem}`;
    });
    super(`The state machine '${machine}' cannot be loaded; correct its definition:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}
