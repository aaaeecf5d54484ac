import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { type CloudConfig, dynamoClient, eventsClient, queuesClient, statesClient } from '../aws/clients.ts';
import { queueUrlOf } from '../aws/host-queues.ts';
import { eventBridgeNotifier } from '../aws/notifier.ts';
import { stepFunctionsTaskResults } from '../aws/task-results.ts';
import { openDataDir } from '../local/data-dir.ts';
import { problemsOfProcess } from '../local/problem-log.ts';
import { dynamoRecords } from '../store/dynamo-records.ts';
import { createStore } from '../store/store.ts';
import { runAgent as run, type Signals } from './agent.ts';
import { readConfig } from './config.ts';
import { createLooks } from './look.ts';

/** Composition of the agent's process: configuration, clients, clock. */
export interface AgentOptions {
  readonly configPath: string;
  readonly print: (line: string) => void;
  readonly gracefulSignal: AbortSignal;
  readonly forceSignal: AbortSignal;
}

/** Between two looks without a message (design section 3); an embedded cloud's agents look more often, they are few. */
const LOOK_EVERY_MS = 30_000;
const LOOK_EVERY_EMBEDDED_MS = 2_000;

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const sleepMs = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal });
};

export const runAgent = async ({ configPath, print, gracefulSignal, forceSignal }: AgentOptions): Promise<void> => {
  const config = await readConfig(configPath);
  const dataDir = await openDataDir(config.data_dir);
  const log = pino(
    { name: 'volmove-agent', base: { host: config.host_id } },
    pino.destination({ dest: 2, sync: true }),
  );
  const onProblem = problemsOfProcess(
    (what, error) => log.warn({ err: error, what }, 'agent.problem'),
    config.endpoint,
  );
  const cloud: CloudConfig = {
    region: config.region,
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
  };
  const queues = queuesClient(cloud);
  const signals: Signals = { graceful: gracefulSignal, force: forceSignal };
  try {
    await run(
      {
        config,
        dataDir,
        store: createStore(dynamoRecords(dynamoClient(cloud), config.table)),
        tasks: stepFunctionsTaskResults(statesClient(cloud)),
        notifier: eventBridgeNotifier(eventsClient(cloud), config.bus),
        looks: createLooks({
          client: queues,
          queueUrl: () => queueUrlOf(queues, config.host_id, config.auto_register),
          everyMs: config.auto_register ? LOOK_EVERY_EMBEDDED_MS : LOOK_EVERY_MS,
          sleep: sleepMs,
          onProblem,
        }),
        clock: { nowMs: () => Date.now() },
        monotonicMs: () => performance.now(),
        newId: randomUUID,
        path: process.env.PATH ?? USUAL_PATH,
        sleep: sleepMs,
        onProblem,
      },
      signals,
      (host) => {
        print(
          `agent ${host.id} is up: exports on ${host.address}, ${host.backends.flatMap((b) => b.pools.map((p) => `${b.name}#${p.name} ${p.state}`)).join(', ')}`,
        );
      },
    );
  } finally {
    await dataDir.release();
  }
};
