import { AwsError } from '../front/aws-wire.ts';
import { type Account, busArn, busNameOf, ruleArn } from './arns.ts';
import { asFields, type Fields, invalid, optionalText, pageOf, requiredList, requiredText } from './fields.ts';
import * as model from './model.ts';
import { InvalidPattern } from './pattern/invalid.ts';
import { compilePattern } from './pattern/pattern.ts';
import { readTarget } from './targets.ts';

/** The control operations of EventBridge over the model: what each reads, changes and answers. */

export interface Control {
  readonly account: Account;
  readonly current: () => model.Model;
  /** One change at a time; resolves when the new model is on disk. */
  readonly change: (next: (before: model.Model) => model.Model) => Promise<void>;
}

type ControlOperation = (control: Control, fields: Fields) => Promise<object> | object;

const NAME = { max: 256, pattern: /^[/.\-_A-Za-z0-9]+$/ };
const RULE_NAME = { max: 64, pattern: /^[.\-_A-Za-z0-9]+$/ };
const DESCRIPTION = { max: 512 };
/** EventBridge's own limit. */
const PATTERN = { max: 4096 };

const busOf = (fields: Fields): string => busNameOf(optionalText(fields, 'EventBusName', { max: 1600 }));
const describe = (fields: Fields): { description?: string } => {
  const description = optionalText(fields, 'Description', DESCRIPTION);
  return description === undefined ? {} : { description };
};
const byName = ({ name }: { readonly name: string }): string => name;
const withPrefix = <T extends { readonly name: string }>(items: readonly T[], fields: Fields): readonly T[] => {
  const prefix = optionalText(fields, 'NamePrefix', { max: 256 }) ?? '';
  return items.filter(({ name }) => name.startsWith(prefix));
};

const busView = (account: Account, { name, description }: model.Bus): object => ({
  Name: name,
  Arn: busArn(account, name),
  ...(description === undefined ? {} : { Description: description }),
});

const ruleView = (account: Account, busName: string, rule: model.Rule): object => ({
  Name: rule.name,
  Arn: ruleArn(account, busName, rule.name),
  EventPattern: rule.eventPattern,
  State: rule.state,
  EventBusName: busName,
  ...(rule.description === undefined ? {} : { Description: rule.description }),
});

const createBus: ControlOperation = async ({ account, change }, fields) => {
  const name = requiredText(fields, 'Name', NAME);
  await change((before) => model.addBus(before, { name, ...describe(fields), rules: [] }));
  return { EventBusArn: busArn(account, name) };
};

const putRule: ControlOperation = async ({ account, change }, fields) => {
  const name = requiredText(fields, 'Name', RULE_NAME);
  const busName = busOf(fields);
  if (fields.ScheduleExpression) {
    throw invalid(
      'ScheduleExpression is not supported by the embedded event bus: it has no scheduler. Give an EventPattern.',
    );
  }
  const eventPattern = requiredText(fields, 'EventPattern', PATTERN);
  checkPattern(eventPattern);
  await change((before) =>
    model.putRule(before, busName, { name, state: readState(fields), eventPattern, ...describe(fields) }),
  );
  return { RuleArn: ruleArn(account, busName, name) };
};

const checkPattern = (eventPattern: string): void => {
  try {
    compilePattern(eventPattern);
  } catch (error) {
    if (!(error instanceof InvalidPattern)) throw error;
    throw new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${error.message}`);
  }
};

const readState = (fields: Fields): model.Rule['state'] => {
  const state = optionalText(fields, 'State', { max: 64 }) ?? 'ENABLED';
  if (state === 'ENABLED' || state === 'DISABLED') return state;
  throw invalid(`State ${state} is not supported by the embedded event bus: ENABLED or DISABLED is wanted.`);
};

const setState =
  (state: model.Rule['state']): ControlOperation =>
  async ({ change }, fields) => {
    const name = requiredText(fields, 'Name', RULE_NAME);
    await change((before) => model.setRuleState(before, busOf(fields), name, state));
    return {};
  };

const putTargets: ControlOperation = async ({ change }, fields) => {
  const rule = requiredText(fields, 'Rule', RULE_NAME);
  const targets = requiredList(fields, 'Targets', 100).map(readTarget);
  await change((before) => model.putTargets(before, busOf(fields), rule, targets));
  return { FailedEntryCount: 0, FailedEntries: [] };
};

const removeTargets: ControlOperation = async ({ current, change }, fields) => {
  const rule = requiredText(fields, 'Rule', RULE_NAME);
  const ids = requiredList(fields, 'Ids', 100).map(String);
  const known = model.ruleIn(current(), busOf(fields), rule).targets.map(({ Id }) => Id);
  await change((before) => model.removeTargets(before, busOf(fields), rule, ids));
  const failed = ids
    .filter((id) => !known.includes(id))
    .map((TargetId) => ({
      TargetId,
      ErrorCode: 'ResourceNotFoundException',
      ErrorMessage: `Rule ${rule} has no target ${TargetId}.`,
    }));
  return { FailedEntryCount: failed.length, FailedEntries: failed };
};

const listRules: ControlOperation = ({ account, current }, fields) => {
  const busName = busOf(fields);
  const { items, ...more } = pageOf(fields, withPrefix(model.busIn(current(), busName).rules, fields), byName);
  return { Rules: items.map((rule) => ruleView(account, busName, rule)), ...more };
};

const listTargets: ControlOperation = ({ current }, fields) => {
  const rule = model.ruleIn(current(), busOf(fields), requiredText(fields, 'Rule', RULE_NAME));
  const { items, ...more } = pageOf(fields, rule.targets, ({ Id }) => Id);
  return { Targets: items, ...more };
};

const OPERATIONS: Readonly<Record<string, ControlOperation>> = {
  CreateEventBus: createBus,
  DescribeEventBus: ({ account, current }, fields) =>
    busView(account, model.busIn(current(), busNameOf(optionalText(fields, 'Name', { max: 1600 })))),
  ListEventBuses: ({ account, current }, fields) => {
    const { items, ...more } = pageOf(fields, withPrefix(current(), fields), byName);
    return { EventBuses: items.map((bus) => busView(account, bus)), ...more };
  },
  DeleteEventBus: async ({ change }, fields) => {
    const name = requiredText(fields, 'Name', NAME);
    await change((before) => model.removeBus(before, name));
    return {};
  },
  PutRule: putRule,
  DescribeRule: ({ account, current }, fields) => {
    const busName = busOf(fields);
    const rule = model.ruleIn(current(), busName, requiredText(fields, 'Name', RULE_NAME));
    return { ...ruleView(account, busName, rule), CreatedBy: account.accountId };
  },
  DeleteRule: async ({ change }, fields) => {
    const name = requiredText(fields, 'Name', RULE_NAME);
    await change((before) => model.removeRule(before, busOf(fields), name));
    return {};
  },
  ListRules: listRules,
  EnableRule: setState('ENABLED'),
  DisableRule: setState('DISABLED'),
  PutTargets: putTargets,
  RemoveTargets: removeTargets,
  ListTargetsByRule: listTargets,
};

/** Throws AwsError: UnknownOperationException, ValidationException, ResourceNotFoundException and their kin. */
export const controlOperation = async (control: Control, name: string, body: unknown): Promise<object> => {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (!operation) throw new AwsError('UnknownOperationException', `The embedded event bus has no ${name}.`);
  return await operation(control, asFields(body));
};
