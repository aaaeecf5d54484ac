import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  DescribeEventBusCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  InvalidEventPatternException,
  ListEventBusesCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { rejection, startCloud, tempDir } from './cloud.ts';

const EventPattern = JSON.stringify({ source: ['volmove'] });
const queueArn = 'arn:aws:sqs:us-east-1:000000000000:audit';
const target = (Id: string) => ({ Id, Arn: queueArn });

describe('event buses', () => {
  it('include the default one, and others that are made', async () => {
    const { eventsClient } = await startCloud();

    const made = await eventsClient.send(new CreateEventBusCommand({ Name: 'ours' }));
    const again = await rejection(eventsClient.send(new CreateEventBusCommand({ Name: 'ours' })));
    const listed = await eventsClient.send(new ListEventBusesCommand({}));
    const described = await eventsClient.send(new DescribeEventBusCommand({ Name: made.EventBusArn }));

    expect(made.EventBusArn).toBe('arn:aws:events:us-east-1:000000000000:event-bus/ours');
    expect(again).toBeInstanceOf(ResourceAlreadyExistsException);
    expect(listed.EventBuses?.map(({ Name }) => Name)).toEqual(['default', 'ours']);
    expect(described.Name).toBe('ours');
  });

  it('are deleted only when empty, and never the default one', async () => {
    const { eventsClient } = await startCloud();
    await eventsClient.send(new CreateEventBusCommand({ Name: 'ours' }));
    await eventsClient.send(new PutRuleCommand({ Name: 'r', EventBusName: 'ours', EventPattern }));

    const full = await rejection(eventsClient.send(new DeleteEventBusCommand({ Name: 'ours' })));
    const theDefault = await rejection(eventsClient.send(new DeleteEventBusCommand({ Name: 'default' })));
    await eventsClient.send(new DeleteRuleCommand({ Name: 'r', EventBusName: 'ours' }));
    await eventsClient.send(new DeleteEventBusCommand({ Name: 'ours' }));
    const gone = await rejection(eventsClient.send(new DescribeEventBusCommand({ Name: 'ours' })));

    expect(full.message).toContain('has rules');
    expect(theDefault.name).toBe('ValidationException');
    expect(gone).toBeInstanceOf(ResourceNotFoundException);
  });
});

describe('rules', () => {
  it('are put, described, disabled, enabled, listed in pages and deleted', async () => {
    const { eventsClient } = await startCloud();

    const put = await eventsClient.send(new PutRuleCommand({ Name: 'ended', EventPattern, Description: 'all' }));
    await eventsClient.send(new PutRuleCommand({ Name: 'every', EventPattern }));
    await eventsClient.send(new DisableRuleCommand({ Name: 'ended' }));
    const disabled = await eventsClient.send(new DescribeRuleCommand({ Name: 'ended' }));
    await eventsClient.send(new EnableRuleCommand({ Name: 'ended' }));
    const first = await eventsClient.send(new ListRulesCommand({ NamePrefix: 'e', Limit: 1 }));
    const second = await eventsClient.send(new ListRulesCommand({ NamePrefix: 'e', NextToken: first.NextToken }));
    await eventsClient.send(new DeleteRuleCommand({ Name: 'ended' }));
    const gone = await rejection(eventsClient.send(new DescribeRuleCommand({ Name: 'ended' })));

    expect(put.RuleArn).toBe('arn:aws:events:us-east-1:000000000000:rule/ended');
    expect(disabled).toMatchObject({ State: 'DISABLED', EventPattern, Description: 'all', EventBusName: 'default' });
    expect(first.Rules?.map(({ Name, State }) => [Name, State])).toEqual([['ended', 'ENABLED']]);
    expect(second.Rules?.map(({ Name }) => Name)).toEqual(['every']);
    expect(second.NextToken).toBeUndefined();
    expect(gone).toBeInstanceOf(ResourceNotFoundException);
  });

  it('are refused with the reason when the pattern is wrong, there is none, or a schedule is wanted', async () => {
    const { eventsClient } = await startCloud();
    const put = (more: object) => rejection(eventsClient.send(new PutRuleCommand({ Name: 'r', ...more })));

    const wrong = await put({ EventPattern: '{"source":"volmove"}' });
    const none = await put({});
    const schedule = await put({ ScheduleExpression: 'rate(5 minutes)' });
    const unknownBus = await put({ EventPattern, EventBusName: 'nobody' });

    expect(wrong).toBeInstanceOf(InvalidEventPatternException);
    expect(wrong.message).toContain('"source" must be an object or an array');
    expect(none.message).toContain('EventPattern is missing');
    expect(schedule.message).toContain('ScheduleExpression is not supported');
    expect(unknownBus).toBeInstanceOf(ResourceNotFoundException);
  });

  it('keep their targets when put again, and are not deleted while they have some', async () => {
    const { eventsClient } = await startCloud();
    await eventsClient.send(new PutRuleCommand({ Name: 'r', EventPattern }));
    await eventsClient.send(new PutTargetsCommand({ Rule: 'r', Targets: [target('a'), target('b')] }));
    await eventsClient.send(new PutRuleCommand({ Name: 'r', EventPattern, State: 'DISABLED' }));

    const refused = await rejection(eventsClient.send(new DeleteRuleCommand({ Name: 'r' })));
    const removed = await eventsClient.send(new RemoveTargetsCommand({ Rule: 'r', Ids: ['a', 'x'] }));
    const listed = await eventsClient.send(new ListTargetsByRuleCommand({ Rule: 'r' }));

    expect(refused.message).toContain('has targets');
    expect(removed.FailedEntryCount).toBe(1);
    expect(removed.FailedEntries?.[0]).toMatchObject({ TargetId: 'x', ErrorCode: 'ResourceNotFoundException' });
    expect(listed.Targets).toEqual([target('b')]);
  });

  it('refuse targets that the bus cannot serve as asked', async () => {
    const { eventsClient } = await startCloud();
    await eventsClient.send(new PutRuleCommand({ Name: 'r', EventPattern }));
    const put = (more: object) =>
      rejection(eventsClient.send(new PutTargetsCommand({ Rule: 'r', Targets: [{ ...target('a'), ...more }] })));

    const reasons = [
      await put({ Arn: 'arn:aws:sns:us-east-1:000000000000:topic' }),
      await put({ Arn: `${queueArn}.fifo` }),
      await put({ Input: '{' }),
      await put({ InputPath: '$.detail[0]' }),
      await put({ InputTransformer: { InputTemplate: '<x>' } }),
      await put({ RetryPolicy: { MaximumEventAgeInSeconds: 60 } }),
    ].map(({ message }) => message);
    const six = await rejection(
      eventsClient.send(new PutTargetsCommand({ Rule: 'r', Targets: ['a', 'b', 'c', 'd', 'e', 'f'].map(target) })),
    );

    expect(reasons).toEqual([
      expect.stringContaining('is not supported'),
      expect.stringContaining('standard SQS queue'),
      expect.stringContaining('Input must be a JSON text'),
      expect.stringContaining('InputPath'),
      expect.stringContaining('InputTransformer is not supported'),
      expect.stringContaining('MaximumEventAgeInSeconds is not supported'),
    ]);
    expect(six.name).toBe('LimitExceededException');
  });

  it('are all there after a restart', async () => {
    const dir = await tempDir();
    const before = await startCloud({ bus: { dir } });
    await before.eventsClient.send(new CreateEventBusCommand({ Name: 'ours' }));
    await before.eventsClient.send(new PutRuleCommand({ Name: 'r', EventBusName: 'ours', EventPattern }));
    await Promise.all(
      ['a', 'b', 'c'].map((id) =>
        before.eventsClient.send(new PutTargetsCommand({ Rule: 'r', EventBusName: 'ours', Targets: [target(id)] })),
      ),
    );
    await before.close();

    const after = await startCloud({ bus: { dir } });
    const listed = await after.eventsClient.send(new ListTargetsByRuleCommand({ Rule: 'r', EventBusName: 'ours' }));

    expect(listed.Targets).toEqual(['a', 'b', 'c'].map(target));
  });

  it('have no operation that is not there', async () => {
    const { eventsClient } = await startCloud();

    const refused = await rejection(eventsClient.send(new TestEventPatternCommand({ Event: '{}', EventPattern })));

    expect(refused.name).toBe('UnknownOperationException');
  });
});
