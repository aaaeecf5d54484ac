import { describe, expect, it } from 'vitest';
import { createEngine, DefinitionError, type Problem } from '../../embedded/engine/engine.ts';
import { DISPATCH, machine, only, placeholder, WORK } from './definitions.ts';
import { createWorld, temporaryDirectory } from './world.ts';

function problemsOf(definition: unknown, substitutions: Record<string, string> = {}): readonly Problem[] {
  const engine = createEngine({
    directory: temporaryDirectory(),
    random: Math.random,
    newId: () => 'id',
    randomToken: () => 'token',
    invokeLambda: async () => ({ payload: null }),
    putEvents: async () => ({ FailedEntryCount: 0, Entries: [] }),
    onStatusChange: () => undefined,
    onFault: (error) => expect.unreachable(error.message),
  });
  try {
    engine.loadMachine({ name: 'main', definition, substitutions });
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems;
    throw error;
  }
}

const fieldsOf = (definition: unknown) => problemsOf(definition).map(({ state, field }) => `${state ?? ''}:${field}`);

describe('a definition that this engine can run', () => {
  it('loads as JSON text and as a value', () => {
    expect(problemsOf(only(WORK))).toEqual([]);
    expect(problemsOf(JSON.stringify(only(WORK)))).toEqual([]);
  });
});

describe('a definition with many mistakes', () => {
  it('is refused with all of them, each with its place and what to do', () => {
    const definition = {
      StartAt: 'Start',
      Extra: 1,
      States: {
        Start: { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', HeartbeatSeconds: 5, Next: 'Nowhere' },
        Both: { Type: 'Parallel', Branches: [], End: true },
      },
    };

    const problems = problemsOf(definition);

    expect(problems.map(({ state, field }) => [state, field])).toEqual([
      [null, 'Extra'],
      [null, 'QueryLanguage'],
      ['Start', 'HeartbeatSeconds'],
      ['Start', 'Resource'],
      ['Both', 'Type'],
      ['Start', 'Next'],
    ]);
    expect(problems[2]?.problem).toContain('use TimeoutSeconds');
  });

  it('is told in one message', () => {
    const error = new DefinitionError('main', problemsOf(machine({ A: { Type: 'Pass' }, B: { Type: 'Nope' } })));

    expect(error.message).toContain("state 'A', Next: is missing; add Next");
    expect(error.message).toContain("state 'B', Type: is 'Nope'");
  });
});

describe('a machine', () => {
  it.each([
    ['no JSON', '{', ':definition'],
    ['no object', [], ':definition'],
    ['another query language', { ...machine({ A: { Type: 'Succeed' } }), QueryLanguage: 'JSONPath' }, ':QueryLanguage'],
    ['no states', { QueryLanguage: 'JSONata', StartAt: 'A', States: {} }, ':States'],
    ['a start that is no state', { ...machine({ A: { Type: 'Succeed' } }), StartAt: 'B' }, ':StartAt'],
    ['a time-out of zero', machine({ A: { Type: 'Succeed' } }, { TimeoutSeconds: 0 }), ':TimeoutSeconds'],
  ])('is refused with %s', (_, definition, field) => {
    expect(fieldsOf(definition)).toContain(field);
  });

  it('is refused with a name that could leave its folder', async () => {
    const world = await createWorld({ machines: { main: only(WORK) } });

    for (const name of ['..', 'a/b', '', 'x'.repeat(81)]) {
      expect(() => world.engine.loadMachine({ name, definition: only(WORK) })).toThrow(DefinitionError);
    }
  });
});

describe('a state', () => {
  it.each([
    ['InputPath', { Type: 'Pass', InputPath: '$.a' }],
    ['OutputPath', { Type: 'Pass', OutputPath: '$.a' }],
    ['Parameters', { Type: 'Pass', Parameters: {} }],
    ['Result', { Type: 'Pass', Result: {} }],
    ['ResultPath', { ...WORK, ResultPath: '$' }],
    ['ResultSelector', { ...WORK, ResultSelector: {} }],
    ['TimeoutSecondsPath', { ...WORK, TimeoutSecondsPath: '$.a' }],
    ['Credentials', { ...WORK, Credentials: {} }],
    ['HeartbeatSeconds', { ...WORK, HeartbeatSeconds: 1 }],
    ['Spelling', { ...WORK, Spelling: 1 }],
    ['QueryLanguage', { Type: 'Pass', QueryLanguage: 'JSONPath' }],
    ['Arguments/Qualifier', { ...WORK, Arguments: { FunctionName: 'f', Qualifier: '1' } }],
    ['Arguments/FunctionName', { ...WORK, Arguments: { Payload: 1 } }],
    ['Resource', { ...WORK, Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f' }],
    ['TimeoutSeconds', { ...WORK, TimeoutSeconds: 0 }],
    ['TimeoutSeconds', { ...WORK, TimeoutSeconds: '5' }],
    ['Seconds', { Type: 'Wait' }],
    ['Seconds', { Type: 'Wait', Seconds: 1, Timestamp: '2030-01-01T00:00:00Z' }],
    ['Seconds', { Type: 'Wait', Seconds: -1 }],
    ['Timestamp', { Type: 'Wait', Timestamp: 5 }],
    ['Timestamp', { Type: 'Wait', Timestamp: 'tomorrow' }],
    ['SecondsPath', { Type: 'Wait', Seconds: 1, SecondsPath: '$' }],
    ['End', { Type: 'Pass', End: false, Next: 'Only' }],
    ['Next', { Type: 'Pass', End: true, Next: 'Only' }],
    ['Assign', { Type: 'Pass', Assign: 5 }],
    ['Assign/states', { Type: 'Pass', Assign: { states: 1 } }],
    ['Assign/1x', { Type: 'Pass', Assign: { '1x': 1 } }],
    ['Output', { Type: 'Pass', Output: '{% 1 + %}' }],
    ['Output', { Type: 'Pass', Output: '{% $states.result %}' }],
    ['Output', { ...WORK, Output: '{% $states.errorOutput %}' }],
    ['Output', { Type: 'Pass', Output: '{% $states.inptu %}' }],
    ['Output', { Type: 'Pass', Output: '{% states.input %}' }],
    ['Output', { Type: 'Pass', Output: '{% $$.a %}' }],
    ['Output', { Type: 'Pass', Output: '{% $.a %}' }],
    ['Output/a[1]', { Type: 'Pass', Output: { a: [1, '{% $eval("1") %}'] } }],
    ['Output', { Type: 'Pass', Output: '{% "1" ~> $eval %}' }],
    ['Output', { Type: 'Pass', Output: '{% $states.input' }],
    ['Output', { Type: 'Pass', Output: '$states.input %}' }],
    ['Error', { Type: 'Fail', Error: 5 }],
    ['ErrorPath', { Type: 'Fail', ErrorPath: '$.a' }],
    ['Assign', { Type: 'Succeed', Assign: {} }],
  ])('is refused for its field %s: %j', (field, state) => {
    expect(fieldsOf(only(state))).toEqual([`Only:${field}`]);
  });

  it('is refused when it leads nowhere, or when nothing leads to it', () => {
    const definition = machine({
      Start: { ...WORK, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Gone' }], Next: 'Which' },
      Which: { Type: 'Choice', Choices: [{ Condition: true, Next: 'Lost' }], Default: 'Missing' },
      Alone: { Type: 'Succeed' },
    });

    expect(fieldsOf(definition)).toEqual([
      'Start:Catch[0]/Next',
      'Which:Choices[0]/Next',
      'Which:Default',
      'Alone:name',
    ]);
  });

  it('is refused when it is no object, has no type or too long a name', () => {
    const definition = machine({ A: [] as object, B: {}, ['x'.repeat(81)]: { Type: 'Succeed' } });

    expect(fieldsOf(definition)).toEqual(expect.arrayContaining(['A:Type', 'B:Type', `${'x'.repeat(81)}:name`]));
  });
});

describe('Choice rules', () => {
  it.each([
    ['Choices', { Type: 'Choice', Choices: [] }],
    ['Choices', { Type: 'Choice', Choices: [5] }],
    ['Choices[0]/Condition', { Type: 'Choice', Choices: [{ Next: 'Only' }] }],
    ['Choices[0]/Condition', { Type: 'Choice', Choices: [{ Condition: 'yes', Next: 'Only' }] }],
    ['Choices[0]/Next', { Type: 'Choice', Choices: [{ Condition: true }] }],
    ['Choices[0]/Variable', { Type: 'Choice', Choices: [{ Condition: true, Variable: '$.a', Next: 'Only' }] }],
  ])('are refused for %s: %j', (field, state) => {
    expect(fieldsOf(machine({ Only: state }))).toContain(`Only:${field}`);
  });
});

describe('Retry and Catch', () => {
  it.each([
    ['Retry[0]/ErrorEquals', { Retry: [{}] }],
    ['Retry[0]/ErrorEquals', { Retry: [{ ErrorEquals: [] }] }],
    ['Retry[0]/ErrorEquals', { Retry: [{ ErrorEquals: ['States.ALL', 'Own'] }] }],
    ['Retry[0]/ErrorEquals', { Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['Own'] }] }],
    ['Retry[0]/ErrorEquals', { Retry: [{ ErrorEquals: ['States.Timeot'] }] }],
    ['Retry[0]/IntervalSeconds', { Retry: [{ ErrorEquals: ['Own'], IntervalSeconds: 0 }] }],
    ['Retry[0]/MaxAttempts', { Retry: [{ ErrorEquals: ['Own'], MaxAttempts: -1 }] }],
    ['Retry[0]/BackoffRate', { Retry: [{ ErrorEquals: ['Own'], BackoffRate: 0.5 }] }],
    ['Retry[0]/MaxDelaySeconds', { Retry: [{ ErrorEquals: ['Own'], MaxDelaySeconds: 1 }] }],
    ['Retry[0]/JitterStrategy', { Retry: [{ ErrorEquals: ['Own'], JitterStrategy: 'HALF' }] }],
    ['Retry[0]/Next', { Retry: [{ ErrorEquals: ['Own'], Next: 'Only' }] }],
    ['Retry', { Retry: {} }],
    ['Catch[0]/ResultPath', { Catch: [{ ErrorEquals: ['Own'], Next: 'Only', ResultPath: '$' }] }],
    ['Catch[0]/Next', { Catch: [{ ErrorEquals: ['Own'] }] }],
    ['Catch[0]/Output', { Catch: [{ ErrorEquals: ['Own'], Next: 'Only', Output: '{% $states.result %}' }] }],
    [
      'Catch[0]/ErrorEquals',
      {
        Catch: [
          { ErrorEquals: ['States.ALL'], Next: 'Only' },
          { ErrorEquals: ['A'], Next: 'Only' },
        ],
      },
    ],
  ])('are refused for %s: %j', (field, handlers) => {
    expect(fieldsOf(only({ ...WORK, ...handlers }))).toEqual([`Only:${field}`]);
  });

  it('do not belong to states that report no errors', () => {
    expect(fieldsOf(only({ Type: 'Pass', Retry: [], Catch: [] }))).toEqual(['Only:Retry', 'Only:Catch']);
  });
});

describe('Map', () => {
  const processor = { StartAt: 'In', States: { In: { Type: 'Succeed' } } };
  it.each([
    ['Only:ItemProcessor', { Type: 'Map' }],
    [
      'Only:ItemProcessor/ProcessorConfig/Mode',
      { Type: 'Map', ItemProcessor: { ...processor, ProcessorConfig: { Mode: 'DISTRIBUTED' } } },
    ],
    ['Only:ItemReader', { Type: 'Map', ItemProcessor: processor, ItemReader: {} }],
    ['Only:ToleratedFailureCount', { Type: 'Map', ItemProcessor: processor, ToleratedFailureCount: 1 }],
    ['Only:ItemsPath', { Type: 'Map', ItemProcessor: processor, ItemsPath: '$' }],
    ['Only:Items', { Type: 'Map', ItemProcessor: processor, Items: 5 }],
    ['Only:Items', { Type: 'Map', ItemProcessor: processor, Items: 'all' }],
    ['Only:MaxConcurrency', { Type: 'Map', ItemProcessor: processor, MaxConcurrency: -1 }],
    ['Only:ItemProcessor/StartAt', { Type: 'Map', ItemProcessor: { ...processor, StartAt: 'Other' } }],
    ['In:Next', { Type: 'Map', ItemProcessor: { StartAt: 'In', States: { In: { Type: 'Pass', Next: 'Only' } } } }],
    ['Only:name', { Type: 'Map', ItemProcessor: { StartAt: 'Only', States: { Only: { Type: 'Succeed' } } } }],
  ])('is refused for %s: %j', (place, state) => {
    expect(fieldsOf(only(state))).toContain(place);
  });

  it('is refused when an iteration assigns a variable of the scope around it', () => {
    const inner = { In: { Type: 'Pass', Assign: { x: 1 }, End: true } };
    const definition = machine({
      Set: { Type: 'Pass', Assign: { x: 0 }, Next: 'Each' },
      Each: { Type: 'Map', ItemProcessor: { StartAt: 'In', States: inner }, End: true },
    });

    expect(fieldsOf(definition)).toEqual(['In:Assign/x']);
  });
});

describe('placeholders', () => {
  const definition = only({
    ...DISPATCH,
    Arguments: {
      FunctionName: placeholder('DispatchFunctionArn'),
      Payload: `to ${placeholder('Host')}:${placeholder('Port')}`,
    },
  });

  it('are replaced in all strings', async () => {
    const substitutions = { DispatchFunctionArn: 'dispatch', Host: 'a', Port: '$&' };
    const world = await createWorld({ machines: { main: definition }, substitutions });

    await world.start();

    expect(world.invocations).toEqual([{ functionName: 'dispatch', payload: 'to a:$&' }]);
  });

  it('are problems when they are not replaced', () => {
    expect(problemsOf(definition, { Host: 'a' }).map(({ state, field, problem }) => [state, field, problem])).toEqual([
      ['Only', 'Arguments/FunctionName', expect.stringContaining(placeholder('DispatchFunctionArn'))],
      ['Only', 'Arguments/Payload', expect.stringContaining(placeholder('Port'))],
    ]);
  });
});
