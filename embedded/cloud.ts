import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  type EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { dynamoClient, eventsClient } from '../aws/clients.ts';
import { PACKAGE_ROOT } from '../local/package-root.ts';
import { type EventBus, startBus } from './bus/bus.ts';
import { startDynamo } from './dynamo/dynamo.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import {
  ACCOUNT_ID,
  BUS,
  FULL_SWEEP_EVERY_MS,
  functionArn,
  functionEnvironment,
  MACHINES,
  machineArn,
  REGION,
  SWEEP_EVERY_MS,
  TABLE_DEFINITION,
  TIDY_EVERY_MS,
} from './environment.ts';
import { jsonService } from './front/aws-wire.ts';
import { createFront, type FrontOptions } from './front/front.ts';
import { untilReady } from './front/until-ready.ts';
import { FUNCTION_PREFIX, functionTable } from './function-table.ts';
import { createGateway } from './gateway/gateway.ts';
import { lambdaRest } from './lambda/rest.ts';
import { createLambdaRuntime, type LambdaRuntime } from './lambda/runtime.ts';
import { startQueues } from './queues/queues.ts';
import { runUpkeep } from './upkeep.ts';

/**
 * The one-machine cloud: the same functions and state machines as on AWS, behind AWS-shaped endpoints on one port. What it
 * keeps survives kill -9; after a power loss the last writes may be missing, as far as LevelDB and unsynced journals go.
 */
export interface CloudOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly onProblem: (what: string, error: unknown) => void;
  /** Hears of every call of an AWS client, the functions' own included: for benchmarks that count them. */
  readonly onCall?: FrontOptions['onCall'];
}

export interface Cloud {
  readonly url: string;
  close(): Promise<void>;
}

const account = { region: REGION, accountId: ACCOUNT_ID };

const loadMachines = async (engine: Engine, substitutions: Readonly<Record<string, string>>): Promise<void> => {
  for (const name of MACHINES) {
    const definition = await readFile(join(PACKAGE_ROOT, 'statemachines', `${name}.asl.json`), 'utf8');
    engine.loadMachine({ name, definition, substitutions });
  }
};

const startEngine = (
  dataDir: string,
  runtime: LambdaRuntime,
  bus: EventBus,
  onProblem: CloudOptions['onProblem'],
): Engine =>
  createEngine({
    ...account,
    directory: join(dataDir, 'executions'),
    random: Math.random,
    newId: randomUUID,
    randomToken: () => randomBytes(32).toString('base64url'),
    invokeLambda: (name, payload, signal) => runtime.invoke(name, payload, signal),
    putEvents: async (entries) => bus.putEvents(entries),
    onStatusChange: (detail) => {
      const entry = {
        Source: 'aws.states',
        DetailType: 'Step Functions Execution Status Change',
        Detail: JSON.stringify(detail),
      };
      bus.publish([entry]).catch((error: unknown) => onProblem('status event', error));
    },
    onFault: (error) => {
      // an execution halts where its journal ends: the next start goes on from there, so the process must end
      onProblem('engine', error);
      process.exit(70);
    },
  });

const createTable = async (endpoint: string): Promise<void> => {
  try {
    await dynamoClient({ region: REGION, endpoint }).send(new CreateTableCommand(TABLE_DEFINITION));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
};

const ENDED_BADLY = {
  source: ['aws.states'],
  'detail-type': ['Step Functions Execution Status Change'],
  detail: { status: ['FAILED', 'ABORTED', 'TIMED_OUT'], stateMachineArn: [machineArn('migrate-volume')] },
};

/** The rule that brings executions that ended badly to the reconciler: the fast way, the sweeper is the sure one. */
const createRules = async (client: EventBridgeClient): Promise<void> => {
  await client.send(new CreateEventBusCommand({ Name: BUS })).catch((error: unknown) => {
    if ((error as Error).name !== 'ResourceAlreadyExistsException') throw error;
  });
  const Rule = 'volmove-executions-ended-badly';
  await client.send(new PutRuleCommand({ Name: Rule, EventPattern: JSON.stringify(ENDED_BADLY) }));
  await client.send(
    new PutTargetsCommand({ Rule, Targets: [{ Id: 'reconcile', Arn: functionArn(`${FUNCTION_PREFIX}reconcile`) }] }),
  );
};

export const startCloud = async ({ dataDir, host, port, onProblem, onCall }: CloudOptions): Promise<Cloud> => {
  const onError = (error: unknown): void => onProblem('cloud', error);
  const table = functionTable(functionArn);
  const runtime = createLambdaRuntime({
    ...account,
    functions: table.functions,
    onFunctionError: ({ functionName }, error) => onProblem(functionName, error),
  });
  const dynamo = await startDynamo({ dir: join(dataDir, 'table') });
  const queues = await startQueues({ region: REGION });
  const bus = await startBus({
    ...account,
    dir: join(dataDir, 'bus'),
    invokeLambda: (name, event, signal) => runtime.invokeOrThrow(name, event, signal),
    sendMessage: (queue, body) => queues.sendMessage(queue, body),
    onDeliveryFailed: (failure) => onProblem('event delivery', failure.error),
    onError,
  });
  const engine = startEngine(dataDir, runtime, bus, onProblem);
  let ready = false;
  const front = await createFront({
    host,
    port,
    onError,
    ...(onCall ? { onCall } : {}),
    routes: {
      dynamo: dynamo.service,
      queues: queues.service,
      workflows: jsonService('1.0', (target, body) => engine.handle(target, body)),
      events: bus.service,
      lambda: lambdaRest({ runtime, onError }),
      gateway: untilReady(
        () => ready,
        createGateway({ runtime, functionName: `${FUNCTION_PREFIX}api`, accountId: ACCOUNT_ID }),
      ),
    },
  });
  Object.assign(process.env, functionEnvironment(front.url, process.env));
  await createTable(front.url);
  await table.load();
  await loadMachines(engine, table.substitutions);
  await engine.resume();
  await createRules(eventsClient({ region: REGION, endpoint: front.url }));
  ready = true;
  const stopping = new AbortController();
  const upkeep = runUpkeep(
    {
      runtime,
      everyMs: SWEEP_EVERY_MS,
      fullEveryMs: FULL_SWEEP_EVERY_MS,
      tidyEveryMs: TIDY_EVERY_MS,
      monotonicMs: () => performance.now(),
      sleep: async (ms, signal) => {
        await sleep(ms, undefined, { signal });
      },
      onError,
    },
    stopping.signal,
  );
  return {
    url: front.url,
    async close() {
      stopping.abort();
      await upkeep;
      await engine.close();
      await front.close();
      await bus.close();
      await queues.close();
      await dynamo.close();
    },
  };
};
