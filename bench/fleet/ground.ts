import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { dynamoClient } from '../../aws/clients.ts';
import { startCloud } from '../../embedded/cloud.ts';
import { REGION, TABLE } from '../../embedded/environment.ts';
import type { FrontOptions } from '../../embedded/front/front.ts';
import { dynamoRecords } from '../../store/dynamo-records.ts';
import { createStore, type Store } from '../../store/store.ts';
import { Part } from '../../test/system/rig.ts';

/** An embedded cloud in this process, so that its calls can be counted, and agents in processes of their own. */
export interface Ground {
  readonly url: string;
  readonly store: Store;
  readonly directory: string;
  readonly post: <T>(path: string, body: object) => Promise<T>;
  close(): Promise<void>;
}

const agentAt = async (directory: string, endpoint: string, host: string, concurrency: number): Promise<Part> => {
  const pool = join(directory, host, 'pool');
  await mkdir(pool, { recursive: true });
  const config = {
    host_id: host,
    data_dir: join(directory, host, 'data'),
    endpoint,
    auto_register: true,
    // a busy machine may be late with a heartbeat, and a host that seems down is refused
    heartbeat_seconds: 10,
    concurrency,
    backends: [{ name: 'files', driver: 'file', pools: [{ name: 'main', path: pool }] }],
  };
  const path = join(directory, `${host}.json`);
  await writeFile(path, JSON.stringify(config));
  return new Part(host, ['agent', '--config', path], join(directory, `${host}.log`));
};

export const prepareGround = async (
  hosts: readonly string[],
  concurrency: number,
  onCall: FrontOptions['onCall'],
): Promise<Ground> => {
  const directory = await mkdtemp(join(tmpdir(), 'volmove-fleet-'));
  const onProblem = (what: string, error: unknown): void =>
    void process.stderr.write(`${what}: ${error instanceof Error ? error.message : JSON.stringify(error)}\n`);
  const cloud = await startCloud({
    dataDir: join(directory, 'cloud'),
    host: '127.0.0.1',
    port: 0,
    onProblem,
    ...(onCall ? { onCall } : {}),
  });
  const { url } = cloud;
  const agents: Part[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(agents.map((agent) => agent.end('SIGKILL')));
    await cloud.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    for (const host of hosts) {
      const agent = await agentAt(directory, url, host, concurrency);
      agents.push(agent);
      await agent.start();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    directory,
    store: createStore(dynamoRecords(dynamoClient({ region: REGION, endpoint: url }), TABLE)),
    async post<T>(path: string, body: object): Promise<T> {
      const headers = { 'X-Auth-Token': 'admin:demo', 'Content-Type': 'application/json' };
      const answer = await fetch(`${url}/v3${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      const text = await answer.text();
      if (answer.status !== 202) throw new Error(`POST ${path} was answered ${answer.status}: ${text}`);
      return JSON.parse(text) as T;
    },
    close,
  };
};
