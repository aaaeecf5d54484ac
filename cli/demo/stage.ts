import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '../client.ts';
import type { CliDeps } from '../runtime/deps.ts';
import { launch, type Started } from './processes.ts';

/** The demo's little world: a cloud, two hosts with a pool each, all in one temporary directory. */
export interface Stage {
  readonly directory: string;
  readonly client: Client;
  /** The file behind a volume's object on a host. */
  objectPath(host: string, objectName: string): string;
  /** Every object in both pools, as `host/name`. */
  objects(): Promise<string[]>;
  /** Ends the processes and removes the directory. */
  strike(): Promise<void>;
}

export const HOSTS = ['alpha', 'beta'] as const;

export interface StageDeps {
  readonly fetch: CliDeps['fetch'];
  readonly deadline: CliDeps['deadline'];
  readonly sleep: (ms: number) => Promise<void>;
  readonly say: (line: string) => void;
}

const agentConfig = (directory: string, host: string, endpoint: string) => ({
  host_id: host,
  data_dir: join(directory, host, 'data'),
  endpoint,
  auto_register: true,
  heartbeat_seconds: 2,
  migration_progress_report_interval: 0.5,
  backends: [{ name: 'files', driver: 'file', pools: [{ name: 'main', path: join(directory, host, 'pool') }] }],
});

export const setStage = async ({ fetch, deadline, sleep, say }: StageDeps): Promise<Stage> => {
  const directory = await mkdtemp(join(tmpdir(), 'volmove-demo-'));
  const started: Started[] = [];
  const strike = async (): Promise<void> => {
    for (const process of started.toReversed()) await process.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const cloud = await launch({
      name: 'cloud',
      args: ['up', '--data-dir', join(directory, 'cloud'), '--port', '0'],
      logPath: join(directory, 'cloud.log'),
      sleep,
    });
    started.push(cloud);
    say(`  ${cloud.line}`);
    const endpoint = /https?:\/\/\S+/.exec(cloud.line)?.[0] ?? '';
    for (const host of HOSTS) {
      await mkdir(join(directory, host, 'pool'), { recursive: true });
      const config = join(directory, `${host}.json`);
      await writeFile(config, JSON.stringify(agentConfig(directory, host, endpoint), null, 2));
      const agent = await launch({
        name: host,
        args: ['agent', '--config', config],
        logPath: join(directory, `${host}.log`),
        sleep,
      });
      started.push(agent);
      say(`  ${agent.line}`);
    }
    const pool = (host: string): string => join(directory, host, 'pool');
    return {
      directory,
      client: createClient({ fetch, deadline }, endpoint, 'admin:demo'),
      objectPath: (host, objectName) => join(pool(host), `${objectName}.img`),
      async objects() {
        const all = await Promise.all(
          HOSTS.map(async (host) => (await readdir(pool(host))).map((name) => `${host}/${name}`)),
        );
        return all.flat().filter((name) => name.endsWith('.img'));
      },
      strike,
    };
  } catch (error) {
    await strike();
    throw error;
  }
};
