import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { functions, pascalCase } from '../../infra/functions.ts';
import { resolved, type Synthesised, synthesise } from './synthesised.ts';

const listed = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]).pipe(z.array(z.unknown()));
const POLICY = z.object({
  Roles: z.array(z.object({ Ref: z.string() })),
  PolicyDocument: z.object({
    Statement: z.array(z.object({ Effect: z.string(), Action: listed.pipe(z.array(z.string())), Resource: listed })),
  }),
});

interface Statement {
  readonly role: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

const granted: { stack?: Synthesised; statements: readonly Statement[] } = { statements: [] };

beforeAll(() => {
  granted.stack = synthesise(['alpha', 'beta']);
  granted.statements = statementsOf(granted.stack);
});

afterAll(() => granted.stack?.remove());

const statementsOf = (stack: Synthesised): Statement[] =>
  stack.ofType('AWS::IAM::Policy').flatMap(({ Properties }) => {
    const { Roles, PolicyDocument } = POLICY.parse(Properties);
    return PolicyDocument.Statement.map(({ Action, Resource }) => ({
      role: Roles.map((role) => role.Ref).join(),
      actions: Action,
      resources: Resource.map(resolved),
    }));
  });

const of = (name: string): Statement[] =>
  granted.statements.filter((s) => s.role.startsWith(`${pascalCase(name)}FunctionServiceRole`));
const may = (name: string, action: string): string[] =>
  of(name)
    .filter((s) => s.actions.includes(action))
    .flatMap((s) => s.resources);

describe('permissions', () => {
  it('name every action', () => {
    expect(granted.statements.length).toBeGreaterThan(functions.length);
    for (const { actions } of granted.statements) expect(actions.filter((action) => action.endsWith('*'))).toEqual([]);
  });

  it('name every resource, but where AWS knows none: the delivery of logs and traces', () => {
    const everywhere = granted.statements.filter((s) => s.resources.includes('*'));

    for (const { actions } of everywhere) {
      expect(actions.filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
    }
  });

  it('let every function read and write records, and the sweeper alone read the whole table', () => {
    for (const { name } of functions) {
      expect(may(name, 'dynamodb:PutItem')).not.toEqual([]);
      expect(may(name, 'dynamodb:UpdateItem')).not.toEqual([]);
      expect(may(name, 'dynamodb:Scan').length > 0).toBe(name === 'sweep');
      expect(may(name, 'dynamodb:DeleteTable')).toEqual([]);
    }
  });

  it.each(functions)('let $name tell, wake, answer and start what its entry says and nothing else', (definition) => {
    const { name } = definition;
    const machineOf = (resources: string[]): string[] => resources.map((arn) => arn.replace(/^.*:volmove-/, '')).sort();

    expect(may(name, 'events:PutEvents')).toHaveLength(definition.tellsEvents ? 1 : 0);
    expect(may(name, 'sqs:SendMessage')).toHaveLength(definition.wakesHosts ? 2 : 0);
    expect(machineOf(may(name, 'states:SendTaskSuccess'))).toEqual([...(definition.answersTasksOf ?? [])]);
    expect(machineOf(may(name, 'states:StartExecution'))).toEqual([...(definition.startsRunsOf ?? [])]);
    expect(may(name, 'states:DescribeExecution')).toHaveLength(definition.startsRunsOf?.length ?? 0);
  });
});
