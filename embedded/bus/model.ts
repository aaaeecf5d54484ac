import { AwsError } from '../front/aws-wire.ts';
import { DEFAULT_BUS } from './arns.ts';
import { invalid } from './fields.ts';

/** Buses, rules and targets as one immutable value: a change is a new value, kept only once it is on disk. */

export interface Target {
  readonly Id: string;
  readonly Arn: string;
  /** What is sent instead of the event: a JSON text, or a part of the event. */
  readonly Input?: string;
  readonly InputPath?: string;
  readonly RoleArn?: string;
  readonly RetryPolicy?: { readonly MaximumRetryAttempts: number };
  readonly DeadLetterConfig?: { readonly Arn: string };
}

export interface Rule {
  readonly name: string;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly eventPattern: string;
  readonly description?: string;
  readonly targets: readonly Target[];
}

export interface Bus {
  readonly name: string;
  readonly description?: string;
  readonly rules: readonly Rule[];
}

export type Model = readonly Bus[];

export const EMPTY_MODEL: Model = [{ name: DEFAULT_BUS, rules: [] }];

const MAX_TARGETS = 5;

const notFound = (what: string): AwsError => new AwsError('ResourceNotFoundException', `${what} does not exist.`);

export const busIn = (model: Model, name: string): Bus => {
  const bus = model.find((each) => each.name === name);
  if (!bus) throw notFound(`Event bus ${name}`);
  return bus;
};

export const ruleIn = (model: Model, busName: string, name: string): Rule => {
  const rule = busIn(model, busName).rules.find((each) => each.name === name);
  if (!rule) throw notFound(`Rule ${name} on event bus ${busName}`);
  return rule;
};

const sortedWith = <T>(items: readonly T[], item: T, keyOf: (item: T) => string): readonly T[] =>
  [...items.filter((each) => keyOf(each) !== keyOf(item)), item].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

const nameOf = ({ name }: { readonly name: string }): string => name;

export const addBus = (model: Model, bus: Bus): Model => {
  if (model.some(({ name }) => name === bus.name)) {
    throw new AwsError('ResourceAlreadyExistsException', `Event bus ${bus.name} already exists.`);
  }
  return sortedWith(model, bus, nameOf);
};

/** A bus that is not there is deleted already. */
export const removeBus = (model: Model, name: string): Model => {
  if (name === DEFAULT_BUS) throw invalid('Cannot delete event bus default.');
  const bus = model.find((each) => each.name === name);
  if (bus && bus.rules.length > 0) throw invalid(`Event bus ${name} can't be deleted since it has rules.`);
  return model.filter((each) => each !== bus);
};

const replaceBus = (model: Model, bus: Bus): Model => sortedWith(model, bus, nameOf);

const replaceRule = (model: Model, busName: string, rule: Rule): Model => {
  const bus = busIn(model, busName);
  return replaceBus(model, { ...bus, rules: sortedWith(bus.rules, rule, nameOf) });
};

/** A rule that is there keeps its targets. */
export const putRule = (model: Model, busName: string, rule: Omit<Rule, 'targets'>): Model => {
  const before = busIn(model, busName).rules.find(({ name }) => name === rule.name);
  return replaceRule(model, busName, { ...rule, targets: before?.targets ?? [] });
};

/** A rule that is not there is deleted already. */
export const removeRule = (model: Model, busName: string, name: string): Model => {
  const bus = busIn(model, busName);
  const rule = bus.rules.find((each) => each.name === name);
  if (rule && rule.targets.length > 0) throw invalid("Rule can't be deleted since it has targets.");
  return replaceBus(model, { ...bus, rules: bus.rules.filter((each) => each !== rule) });
};

export const setRuleState = (model: Model, busName: string, name: string, state: Rule['state']): Model =>
  replaceRule(model, busName, { ...ruleIn(model, busName, name), state });

export const putTargets = (model: Model, busName: string, name: string, targets: readonly Target[]): Model => {
  const rule = ruleIn(model, busName, name);
  const all = targets.reduce((sum, target) => sortedWith(sum, target, ({ Id }) => Id), rule.targets);
  if (all.length > MAX_TARGETS) {
    throw new AwsError(
      'LimitExceededException',
      `A rule has at most ${MAX_TARGETS} targets; ${name} would have ${all.length}.`,
    );
  }
  return replaceRule(model, busName, { ...rule, targets: all });
};

export const removeTargets = (model: Model, busName: string, name: string, ids: readonly string[]): Model => {
  const rule = ruleIn(model, busName, name);
  return replaceRule(model, busName, { ...rule, targets: rule.targets.filter(({ Id }) => !ids.includes(Id)) });
};
