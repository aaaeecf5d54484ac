import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Match } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseSettings } from '../../functions/shared/settings.ts';
import { functions, pascalCase } from '../../infra/functions.ts';
import { type MachineName, machineFile, machineNames, machinePhysicalName } from '../../infra/machines.ts';
import { projectFile } from '../../infra/project.ts';
import { tableDefinition } from '../../store/table.ts';
import { resolved, type Synthesised, synthesise } from './synthesised.ts';

const HOSTS = ['alpha', 'beta'];
const stack: { current?: Synthesised } = {};
const synthesised = (): Synthesised => {
  if (!stack.current) throw new Error('the stack was not synthesised');
  return stack.current;
};

beforeAll(() => {
  stack.current = synthesise(HOSTS);
});

afterAll(() => stack.current?.remove());

const only = <T>(items: readonly T[]): T => {
  expect(items).toHaveLength(1);
  return items[0] as T;
};

const byName = (a: { AttributeName?: unknown }, b: { AttributeName?: unknown }): number =>
  String(a.AttributeName).localeCompare(String(b.AttributeName));

describe('the table', () => {
  it('has the keys, indexes and billing that store/ defines', () => {
    const defined = tableDefinition('any');

    const { Properties } = only(synthesised().ofType('AWS::DynamoDB::GlobalTable'));

    const attributes = z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() }));
    expect(Properties.KeySchema).toEqual(defined.KeySchema);
    expect(Properties.LocalSecondaryIndexes).toEqual(defined.LocalSecondaryIndexes);
    expect(Properties.GlobalSecondaryIndexes).toEqual(defined.GlobalSecondaryIndexes);
    expect(Properties.BillingMode).toBe(defined.BillingMode);
    expect(attributes.parse(Properties.AttributeDefinitions).sort(byName)).toEqual(
      [...(defined.AttributeDefinitions ?? [])].sort(byName),
    );
  });

  it('can be restored to any second, forgets expired items and outlives the stack', () => {
    const { Properties, DeletionPolicy } = only(synthesised().ofType('AWS::DynamoDB::GlobalTable'));

    expect(Properties).toMatchObject({
      Replicas: [{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
    expect(DeletionPolicy).toBe('Retain');
  });
});

describe('the functions', () => {
  const lambdas = () => synthesised().ofType('AWS::Lambda::Function');

  it('are one for every entry of the list, on Node 24 and arm64', () => {
    const found = lambdas();

    expect(found.map((f) => String(f.Properties.Description)).sort()).toEqual(
      functions.map((f) => f.description).sort(),
    );
    for (const { Properties } of found) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
    }
  });

  it('are told everything that their settings ask for', () => {
    const { logicalId: tableId } = only(synthesised().ofType('AWS::DynamoDB::GlobalTable'));
    const { logicalId: busId } = only(synthesised().ofType('AWS::Events::EventBus'));
    const environment = z.object({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }) });

    for (const { Properties } of lambdas()) {
      const { Variables } = environment.parse(Properties).Environment;
      const settings = parseSettings(
        Object.fromEntries(Object.entries(Variables).map(([name, value]) => [name, resolved(value)])),
      );

      expect(settings).toMatchObject({ table: tableId, bus: busId, hostLostAfterMs: 600_000, sweepGraceMs: 60_000 });
      expect(settings.machines).toEqual({
        'migrate-volume': 'arn:aws:states:eu-central-1:123456789012:stateMachine:volmove-migrate-volume',
        'volume-job': 'arn:aws:states:eu-central-1:123456789012:stateMachine:volmove-volume-job',
      });
    }
  });

  it('that are steps give up before their state does', () => {
    for (const step of functions.filter((f) => f.stepOf)) expect(step.timeoutSeconds ?? 30).toBeLessThan(60);
  });
});

const machines = () =>
  synthesised()
    .ofType('AWS::StepFunctions::StateMachine')
    .map(({ Properties }) =>
      z
        .object({
          StateMachineName: z.string(),
          DefinitionSubstitutions: z.record(z.string(), z.unknown()),
          LoggingConfiguration: z.unknown(),
          TracingConfiguration: z.unknown(),
        })
        .parse(Properties),
    );

/** asl-validator is CommonJS without types. */
const validate: (definition: unknown) => { readonly isValid: boolean; readonly errorsText: () => string } =
  createRequire(import.meta.url)('asl-validator');

const definitionText = (name: MachineName): string => readFileSync(projectFile(machineFile(name)), 'utf8');

describe('the state machines', () => {
  it('are the two that functions know by name', () => {
    expect(
      machines()
        .map((m) => m.StateMachineName)
        .sort(),
    ).toEqual(machineNames.map(machinePhysicalName).sort());
  });

  it.each(machineNames)('%s is valid Amazon States Language', (name) => {
    const { isValid, errorsText } = validate(JSON.parse(definitionText(name)));

    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
  });

  it.each(machineNames)('%s calls exactly the functions that are its steps', (name) => {
    const asked = new Set([...definitionText(name).matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    const lambdaArns = new Map(
      synthesised()
        .ofType('AWS::Lambda::Function')
        .map(({ logicalId, Properties }) => [`${logicalId}.Arn`, Properties.Description]),
    );

    const given = only(machines().filter((m) => m.StateMachineName === machinePhysicalName(name)));

    expect(new Set(Object.keys(given.DefinitionSubstitutions))).toEqual(asked);
    for (const [variable, arn] of Object.entries(given.DefinitionSubstitutions)) {
      const step = functions.find((f) => `${pascalCase(f.name)}FunctionArn` === variable);
      expect(lambdaArns.get(resolved(arn))).toBe(step?.description);
    }
  });

  it('are traced, and logged without the data that carries task tokens', () => {
    for (const machine of machines()) {
      expect(machine.TracingConfiguration).toEqual({ Enabled: true });
      expect(machine.LoggingConfiguration).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
    }
  });
});

describe('the faces', () => {
  it('are one HTTP API with one route and one stage', () => {
    expect(synthesised().ofType('AWS::ApiGatewayV2::Api')).toHaveLength(1);
    expect(only(synthesised().ofType('AWS::ApiGatewayV2::Route')).Properties).toMatchObject({ RouteKey: '$default' });
    expect(only(synthesised().ofType('AWS::ApiGatewayV2::Stage')).Properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
    });
  });

  it('let nobody in unsigned while the functions know no authentication but noauth', () => {
    expect(only(synthesised().ofType('AWS::ApiGatewayV2::Route')).Properties).toMatchObject({
      AuthorizationType: 'AWS_IAM',
    });
  });

  it('are one event bus', () => {
    expect(only(synthesised().ofType('AWS::Events::EventBus')).Properties).toMatchObject({ Name: 'volmove' });
  });

  it('are one queue for every host', () => {
    const names = synthesised()
      .ofType('AWS::SQS::Queue')
      .map((queue) => String(queue.Properties.QueueName));

    expect(names.sort()).toEqual(HOSTS.map((host) => `volmove-host-${host}`));
  });
});

describe('upkeep', () => {
  it('sweeps every minute', () => {
    synthesised().template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Sweep'), 'Arn'] } })],
    });
  });

  it('hears of every execution that ended badly, on the bus of the account', () => {
    const machine = (name: MachineName) => ({
      'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(`:stateMachine:${machinePhysicalName(name)}$`)])],
    });

    synthesised().template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: Match.absent(),
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'ABORTED', 'TIMED_OUT'], stateMachineArn: machineNames.map(machine) },
      },
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Reconcile'), 'Arn'] } })],
    });
  });
});
