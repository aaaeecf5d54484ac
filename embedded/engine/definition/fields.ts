// Which fields each kind of state may have, and why the others are refused.
import type { StateType } from './types.ts';

const ANY = ['Type', 'Comment', 'QueryLanguage'];
const FLOWING = [...ANY, 'Output', 'Assign', 'Next', 'End'];

export const STATE_FIELDS: Readonly<Record<StateType, readonly string[]>> = {
  Pass: FLOWING,
  Wait: [...FLOWING, 'Seconds', 'Timestamp'],
  Task: [...FLOWING, 'Resource', 'Arguments', 'TimeoutSeconds', 'Retry', 'Catch'],
  Map: [...FLOWING, 'Items', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', 'Retry', 'Catch'],
  Choice: [...ANY, 'Choices', 'Default', 'Output', 'Assign'],
  Succeed: [...ANY, 'Output'],
  Fail: [...ANY, 'Error', 'Cause'],
};

export const MACHINE_FIELDS = ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'];
export const RULE_FIELDS = ['Condition', 'Next', 'Output', 'Assign', 'Comment'];
export const CATCH_FIELDS = ['ErrorEquals', 'Next', 'Output', 'Assign', 'Comment'];
export const RETRY_FIELDS = [
  'ErrorEquals',
  'IntervalSeconds',
  'BackoffRate',
  'MaxAttempts',
  'MaxDelaySeconds',
  'JitterStrategy',
  'Comment',
];
export const PROCESSOR_FIELDS = ['ProcessorConfig', 'StartAt', 'States', 'Comment'];

const JSONPATH: Readonly<Record<string, string>> = {
  InputPath: 'use an expression where the data is needed',
  OutputPath: 'use Output',
  Parameters: 'use Arguments, or ItemSelector in a Map state',
  ResultSelector: 'use Output with $states.result',
  ResultPath: 'use Output with $states.input and $states.result',
  Result: 'use Output',
  ItemsPath: 'use Items',
  SecondsPath: 'use Seconds with an expression',
  TimestampPath: 'use Timestamp with an expression',
  TimeoutSecondsPath: 'use TimeoutSeconds with an expression',
  ErrorPath: 'use Error with an expression',
  CausePath: 'use Cause with an expression',
  MaxConcurrencyPath: 'use MaxConcurrency with an expression',
  Variable: 'use Condition',
  Iterator: 'use ItemProcessor',
};

const DISTRIBUTED = 'belongs to a Distributed Map, which this engine does not support; use an inline Map over Items';

const UNSUPPORTED: Readonly<Record<string, string>> = {
  HeartbeatSeconds: 'is not supported by this engine; use TimeoutSeconds, and watch the worker by other means',
  HeartbeatSecondsPath: 'is not supported by this engine; use TimeoutSeconds, and watch the worker by other means',
  Credentials: 'is not supported by this engine; give the role to the function that is called',
  ItemReader: DISTRIBUTED,
  ItemBatcher: DISTRIBUTED,
  ResultWriter: DISTRIBUTED,
  ToleratedFailureCount: DISTRIBUTED,
  ToleratedFailurePercentage: DISTRIBUTED,
  Label: DISTRIBUTED,
  Branches: 'belongs to a Parallel state, which this engine does not support; put the steps one after another',
};

/** Why a field that is not in the table is refused, and what to do instead. */
export function whyRefused(field: string, allowed: readonly string[]): string {
  const instead = JSONPATH[field];
  if (instead !== undefined) return `is a JSONPath field, and this engine is JSONata only; ${instead}`;
  return UNSUPPORTED[field] ?? `does not belong here; remove it, or correct its spelling (${allowed.join(', ')})`;
}
