// Reads one state of each kind.
import { isExpressionText, type Template } from '../expressions/template.ts';
import { isObject } from '../json.ts';
import { readEffects } from './effects.ts';
import { RULE_FIELDS, STATE_FIELDS } from './fields.ts';
import { readHandlers } from './handlers.ts';
import { type Range, type Reader, SECONDS } from './reader.ts';
import { TASK_RESOURCES, type TaskResource } from './resources.ts';
import { timestampMs } from './timestamp.ts';
import type { ChoiceRule, ChoiceState, Effects, State, TaskState, WaitState } from './types.ts';

/** Reads every kind but Map, whose processor holds states of its own. */
export function readSimpleState(reader: Reader, name: string, type: Exclude<State['type'], 'Map'>): State {
  reader.onlyFields(STATE_FIELDS[type]);
  switch (type) {
    case 'Pass':
      return { type, name, ...readFlow(reader, readEffects(reader)) };
    case 'Wait':
      return { type, name, ...readFlow(reader, readEffects(reader)), until: readUntil(reader) };
    case 'Task':
      return readTask(reader, name);
    case 'Choice':
      return readChoice(reader, name);
    case 'Succeed':
      return { type, name, output: reader.template('Output') };
    case 'Fail':
      return { type, name, error: readWords(reader, 'Error'), cause: readWords(reader, 'Cause') };
  }
}

/** Adds Next or End, of which exactly one must be there. */
export function readFlow(reader: Reader, effects: Effects): Effects & { next: string | null } {
  const ends = reader.has('End');
  if (ends && reader.raw('End') !== true) {
    reader.report('End', 'can only be true; correct it or use Next');
  } else if (ends === reader.has('Next')) {
    reader.report('Next', ends ? 'and End exclude each other; keep one' : 'is missing; add Next, or "End": true');
  }
  return { ...effects, next: reader.text('Next') ?? null };
}

/** A number or an expression that gives one; a literal is checked at once. */
export function readCount(reader: Reader, field: string, range: Range): Template | undefined {
  const raw = reader.raw(field);
  const template = reader.template(field);
  if (!isExpressionText(raw)) reader.number(field, range);
  return template;
}

function readUntil(reader: Reader): WaitState['until'] {
  if (reader.has('Seconds') === reader.has('Timestamp')) {
    reader.report('Seconds', 'or Timestamp must be there, and only one of them; correct it');
  }
  const seconds = readCount(reader, 'Seconds', { ...SECONDS, least: 0 });
  if (seconds !== undefined) return { kind: 'Seconds', template: seconds };
  const timestamp = reader.raw('Timestamp');
  if (timestamp !== undefined && !isExpressionText(timestamp) && timestampMs(timestamp) === undefined) {
    reader.report('Timestamp', `is ${JSON.stringify(timestamp)}; make it a time such as 2030-01-31T12:00:00Z`);
  }
  return { kind: 'Timestamp', template: reader.template('Timestamp') ?? { kind: 'literal', value: null } };
}

function readTask(reader: Reader, name: string): TaskState {
  const resource = readResource(reader);
  checkArguments(reader, resource);
  return {
    type: 'Task',
    name,
    ...readFlow(reader, readEffects(reader, ['result'])),
    ...readHandlers(reader),
    resource,
    arguments: reader.template('Arguments'),
    timeoutSeconds: readCount(reader, 'TimeoutSeconds', SECONDS),
  };
}

function readResource(reader: Reader): TaskResource {
  const arn = reader.requiredText('Resource');
  const known = TASK_RESOURCES.find((resource) => resource.arn === arn);
  if (known !== undefined) return known;
  if (reader.has('Resource')) {
    const list = TASK_RESOURCES.map((resource) => resource.arn).join(', ');
    reader.report('Resource', `is '${arn}', which this engine cannot call; use one of ${list}`);
  }
  return { arn, resourceType: 'lambda', resource: '', waitsForToken: false, argumentKeys: [], requiredKeys: [] };
}

function checkArguments(reader: Reader, resource: TaskResource): void {
  const raw = reader.raw('Arguments');
  if (!isObject(raw) || resource.argumentKeys.length === 0) return;
  for (const key of Object.keys(raw)) {
    if (!resource.argumentKeys.includes(key)) {
      const known = resource.argumentKeys.join(', ');
      reader.report(`Arguments/${key}`, `is not supported for ${resource.arn}; remove it (supported: ${known})`);
    }
  }
  for (const key of resource.requiredKeys) {
    if (!(key in raw)) reader.report(`Arguments/${key}`, `is missing; ${resource.arn} needs it`);
  }
}

function readChoice(reader: Reader, name: string): ChoiceState {
  const rules = reader.objects('Choices');
  if (rules.length === 0) reader.report('Choices', 'must hold at least one rule; add one');
  return {
    type: 'Choice',
    name,
    ...readEffects(reader),
    choices: rules.map(readRule),
    default: reader.text('Default'),
  };
}

function readRule(reader: Reader): ChoiceRule {
  reader.onlyFields(RULE_FIELDS);
  const condition = reader.template('Condition');
  const raw = reader.raw('Condition');
  if (typeof raw !== 'boolean' && !isExpressionText(raw)) {
    reader.report('Condition', 'must be true, false or an expression that gives one of them; correct it');
  }
  return {
    condition: condition ?? { kind: 'literal', value: false },
    next: reader.requiredText('Next'),
    ...readEffects(reader),
  };
}

function readWords(reader: Reader, field: string): Template | undefined {
  reader.text(field);
  return reader.template(field);
}
