// Reads a whole definition into compiled states, or into the list of everything that is wrong with it.
import type { ExpressionEnvironment } from '../expressions/functions.ts';
import { isExpressionText } from '../expressions/template.ts';
import { isObject, typeName } from '../json.ts';
import { readEffects } from './effects.ts';
import { MACHINE_FIELDS, PROCESSOR_FIELDS, STATE_FIELDS } from './fields.ts';
import { readHandlers } from './handlers.ts';
import type { Problem } from './problems.ts';
import { createReader, type Reader, type Reading, SECONDS } from './reader.ts';
import { checkScopes, type ScopeOfStates } from './scopes.ts';
import { readCount, readFlow, readSimpleState } from './states.ts';
import type { Definition, MapState, State, StateType } from './types.ts';

const STATE_TYPES = Object.keys(STATE_FIELDS) as StateType[];
const LONGEST_STATE_NAME = 80;

export interface ReadDefinition {
  readonly definition: Definition;
  /** Empty when the definition can run. */
  readonly problems: readonly Problem[];
}

export function readDefinition(raw: unknown, environment: ExpressionEnvironment): ReadDefinition {
  const problems: Problem[] = [];
  const reading: Reading = { problems, environment };
  const scopes: ScopeOfStates[] = [];
  const reader = createReader(reading, null, isObject(raw) ? raw : {});
  if (!isObject(raw)) reader.report('definition', `is a ${typeName(raw)}; make it a JSON object`);
  reader.onlyFields(MACHINE_FIELDS);
  if (reader.raw('QueryLanguage') !== 'JSONata') {
    reader.report('QueryLanguage', 'must be "JSONata" for the whole machine; this engine knows no JSONPath');
  }
  const startAt = readScope(reading, scopes, reader, null);
  const timeoutSeconds = reader.number('TimeoutSeconds', SECONDS);
  problems.push(...checkScopes(scopes));
  const states = new Map(scopes.flatMap((scope) => scope.states.map((state) => [state.name, state] as const)));
  return { definition: { startAt, states, timeoutSeconds }, problems };
}

/** Reads StartAt and States of a machine or an item processor; returns StartAt. `owner` is the Map state around it. */
function readScope(reading: Reading, scopes: ScopeOfStates[], reader: Reader, owner: string | null): string {
  const startAt = reader.requiredText('StartAt');
  const raw = reader.raw('States');
  const states: State[] = [];
  const scope = { owner, startAt, states, report: reader.report };
  scopes.push(scope);
  if (!isObject(raw) || Object.keys(raw).length === 0) {
    reader.report('States', 'must be an object with at least one state; add it');
    return startAt;
  }
  for (const [name, value] of Object.entries(raw)) {
    const state = readState(reading, scopes, name, value);
    if (state !== undefined) states.push(state);
  }
  return startAt;
}

function readState(reading: Reading, scopes: ScopeOfStates[], name: string, value: unknown): State | undefined {
  const reader = createReader(reading, name, isObject(value) ? value : {});
  if (name.length > LONGEST_STATE_NAME) reader.report('name', 'is longer than 80 characters; shorten it');
  if (!isObject(value)) {
    reader.report('Type', `is missing: the state is a ${typeName(value)}; make it an object`);
    return undefined;
  }
  const language = reader.text('QueryLanguage');
  if (language !== undefined && language !== 'JSONata') {
    reader.report('QueryLanguage', `is '${language}', and this engine is JSONata only; remove it`);
  }
  const wanted = reader.requiredText('Type');
  const type = STATE_TYPES.find((known) => known === wanted);
  if (type === undefined) {
    const advice = `use one of ${STATE_TYPES.join(', ')}`;
    if (reader.has('Type')) reader.report('Type', `is '${wanted}', which this engine does not support; ${advice}`);
    return undefined;
  }
  return type === 'Map' ? readMap(reading, scopes, reader, name) : readSimpleState(reader, name, type);
}

function readMap(reading: Reading, scopes: ScopeOfStates[], reader: Reader, name: string): MapState {
  reader.onlyFields(STATE_FIELDS.Map);
  const items = reader.template('Items');
  if (items !== undefined && !Array.isArray(reader.raw('Items')) && !isExpressionText(reader.raw('Items'))) {
    reader.report('Items', 'must be an array, or an expression that gives one; correct it');
  }
  const processor = reader.object('ItemProcessor');
  if (!reader.has('ItemProcessor')) reader.report('ItemProcessor', 'is missing; add it');
  if (processor !== undefined) checkProcessor(processor);
  return {
    type: 'Map',
    name,
    ...readFlow(reader, readEffects(reader, ['result'])),
    ...readHandlers(reader),
    items,
    itemSelector: reader.template('ItemSelector'),
    maxConcurrency: readCount(reader, 'MaxConcurrency', { ...SECONDS, least: 0 }),
    startAt: processor === undefined ? '' : readScope(reading, scopes, processor, name),
  };
}

function checkProcessor(processor: Reader): void {
  processor.onlyFields(PROCESSOR_FIELDS);
  const config = processor.object('ProcessorConfig');
  config?.onlyFields(['Mode']);
  const mode = config?.text('Mode') ?? 'INLINE';
  if (mode !== 'INLINE') {
    processor.report('ProcessorConfig/Mode', `is '${mode}', which this engine does not support; use INLINE`);
  }
}
