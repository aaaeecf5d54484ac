// Output and Assign, which states, Choice rules and Catchers share.
import type { StatesMember } from '../expressions/compile.ts';
import { isObject } from '../json.ts';
import type { Reader } from './reader.ts';
import type { Assignments, Effects } from './types.ts';

/** A variable's name: a Unicode identifier of at most 80 characters. */
const VARIABLE = /^[\p{ID_Start}_][\p{ID_Continue}]{0,79}$/u;

/** `members`: the members of `$states` beside input and context that exist on this way out. */
export function readEffects(reader: Reader, members: readonly StatesMember[] = []): Effects {
  return { output: reader.template('Output', members), assign: readAssign(reader, members) };
}

function readAssign(reader: Reader, members: readonly StatesMember[]): Assignments {
  if (!reader.has('Assign')) return [];
  const raw = reader.raw('Assign');
  if (!isObject(raw)) {
    reader.report('Assign', 'must be an object of variable names and values; correct it');
    return [];
  }
  for (const name of Object.keys(raw)) {
    if (name === 'states') reader.report(`Assign/${name}`, 'is reserved; choose another variable name');
    else if (!VARIABLE.test(name)) {
      reader.report(`Assign/${name}`, 'is not a variable name; use at most 80 letters, digits and underscores');
    }
  }
  const template = reader.template('Assign', members);
  switch (template?.kind) {
    case 'object':
      return template.members;
    case 'literal':
      return Object.entries(isObject(template.value) ? template.value : {}).map(([name, value]) => [
        name,
        { kind: 'literal', value },
      ]);
    default:
      return [];
  }
}
