import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { dynamoClient, eventsClient, queuesClient, statesClient } from '../../aws/clients.ts';
import { stepFunctionsExecutions } from '../../aws/executions.ts';
import { sqsHostQueues } from '../../aws/host-queues.ts';
import { eventBridgeNotifier } from '../../aws/notifier.ts';
import { stepFunctionsTaskResults } from '../../aws/task-results.ts';
import type { Clock, Executions, HostQueues, Notifier, TaskResults } from '../../domain/ports.ts';
import { dynamoRecords } from '../../store/dynamo-records.ts';
import { createStore, type Store } from '../../store/store.ts';
import { parseSettings, type Settings } from './settings.ts';

/** What every use case may ask for. Tests hand in their own; Lambdas take `lambdaDeps`. */
export interface Deps {
  readonly store: Store;
  readonly notifier: Notifier;
  readonly tasks: TaskResults;
  readonly queues: HostQueues;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly settings: Settings;
}

const compose = (settings: Settings): Deps => {
  const cloud = {
    region: settings.region,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
  };
  const states = statesClient(cloud);
  return {
    store: createStore(dynamoRecords(dynamoClient(cloud), settings.table)),
    notifier: eventBridgeNotifier(eventsClient(cloud), settings.bus),
    tasks: stepFunctionsTaskResults(states),
    queues: sqsHostQueues(queuesClient(cloud)),
    executions: stepFunctionsExecutions(states, settings.machines),
    clock: { nowMs: () => Date.now() },
    newId: randomUUID,
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, signal ? { signal } : {});
    },
    settings,
  };
};

let made: Deps | undefined;

/** One set a process: clients keep their connections between invocations. */
export const lambdaDeps = (): Deps => {
  made ??= compose(parseSettings(process.env));
  return made;
};
