import type { Child, ChildEnd, Children, Command } from '../../../host-agent/children/child.ts';
import type { BackendMove, BackendMoves } from '../../../host-agent/drivers/moves.ts';
import { RBD_BACKEND } from '../../../host-agent/drivers/rbd/config.ts';
import { rbdDriver } from '../../../host-agent/drivers/rbd/driver.ts';
import type { Tool, ToolEnd } from '../../../host-agent/tools/run-tool.ts';

/**
 * What rbd, rados and ceph answer of two pools `a` and `b`, as a test sets it, for what the real ones do for a moment only. They
 * change nothing: the test says what stands after each.
 */
export const SOURCE = 'volume-11111111-1111-4111-8111-111111111111-create-1';
export const DESTINATION = 'volume-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222-1';
const ID = '10f2a1b2c3';
const OTHER_ID = '20f2a1b2c3';
const LONGEST_PAUSE_MS = 5_000;

export const MOVE: BackendMove = {
  source: { pool: 'a', objectName: SOURCE, objectId: ID },
  destination: { pool: 'b', objectName: DESTINATION },
  sizeBytes: 4096,
};

export interface Standing {
  /** Under its name. */
  source: 'untouched' | 'moving' | 'replaced' | 'gone';
  trash: boolean;
  /** `none`: without a migration header. */
  destination: 'prepared' | 'executing' | 'executed' | 'none' | undefined;
  /** Of the cluster. */
  pools: string[];
  watchers: string[];
}

export interface FakeChild extends Child {
  readonly args: readonly string[];
  readonly kill: () => void;
  end(exitCode: number, stderr?: string): void;
  says(text: string): void;
}

const ok = (answer: unknown): ToolEnd => ({ exitCode: 0, stdout: JSON.stringify(answer), stderr: '' });
const failed = (exitCode: number, stderr: string): ToolEnd => ({ exitCode, stdout: '', stderr });
const NOT_THERE = failed(2, 'rbd: error opening image: (2) No such file or directory');
const COUNTS = { stored: 0, max_avail: 1_000_000_000_000, quota_bytes: 0 };

const infoOf = (standing: Standing, spec: string): ToolEnd => {
  const image = { name: spec, size: 4096, features: ['fast-diff'] };
  if (spec === `a/${SOURCE}`) {
    if (standing.source === 'gone') return NOT_THERE;
    if (standing.source === 'replaced') return ok({ ...image, id: OTHER_ID });
    return ok({ ...image, id: ID, ...(standing.source === 'moving' ? { features: ['fast-diff', 'migrating'] } : {}) });
  }
  return standing.destination ? ok({ ...image, id: OTHER_ID }) : NOT_THERE;
};

const statusOf = ({ source, destination, watchers }: Standing, spec: string): ToolEnd => {
  const watched = { watchers: watchers.map((address, client) => ({ address, client })) };
  if (spec === `a/${SOURCE}`) return source === 'gone' ? NOT_THERE : ok(watched);
  if (!destination) return NOT_THERE;
  if (destination === 'none') return ok({ watchers: [] });
  const ends = { source_pool_name: 'a', source_image_name: SOURCE, source_image_id: ID, dest_image_id: OTHER_ID };
  return ok({ watchers: [], migration: { ...ends, state: destination, state_description: '' } });
};

/** Without how to get at the cluster. */
const commandOf = (args: readonly string[]): string[] =>
  args.slice(args.indexOf('--log-to-stderr=false') + 1).filter((word) => !word.startsWith('--rados_'));

const featuresOf = (destination: Standing['destination']): string =>
  `value (8 bytes) :\n00000000  3d ${destination === 'none' ? '00' : '02'} 00 00 00 00 00 00  |=.......|\n`;

const radosOf = ({ destination, watchers }: Standing, [verb, ...more]: readonly string[]): ToolEnd => {
  const said = (stdout: string): ToolEnd => ({ exitCode: 0, stdout, stderr: '' });
  switch (verb) {
    case 'listwatchers':
      return said(watchers.map((address) => `watcher=${address} client.1 cookie=1\n`).join(''));
    case 'getomapval':
      return more.length > 2 ? failed(1, 'error: (2) No such file or directory\n') : said(featuresOf(destination));
    case 'get':
      return destination
        ? said(`\n\0\0\0${OTHER_ID}`)
        : failed(1, 'error getting b/rbd_id: (2) No such file or directory\n');
    default:
      return said(
        `value (8 bytes) :\n00000000  3d ${destination === 'none' ? '00' : '02'} 00 00 00 00 00 00  |=.......|\n`,
      );
  }
};

const answerOf = (standing: Standing, { program, args }: Tool): ToolEnd => {
  const { pools, trash } = standing;
  if (program === 'ceph') {
    const lspools = pools.map((poolname, i) => ({ poolname, poolnum: i + 1 }));
    const df = { stats: { total_bytes: 1_000_000 }, pools: pools.map((name, id) => ({ name, id, stats: COUNTS })) };
    const answers = [{ fsid: '9fb560af-053e-4872-b3d5-e53cc37ce632' }, lspools, { checks: {} }, df];
    return { exitCode: 0, stderr: '', stdout: answers.map((one) => JSON.stringify(one)).join('\n') };
  }
  if (program === 'rados') return radosOf(standing, commandOf(args).slice(2));
  const [verb = '', ...rest] = commandOf(args);
  const spec = rest.find((word) => word.includes('/')) ?? '';
  switch (verb) {
    case 'info':
      return infoOf(standing, spec);
    case 'status':
      return statusOf(standing, spec);
    case 'trash':
      return ok(trash ? [{ id: ID, name: SOURCE }] : []);
    default:
      return ok([]);
  }
};

const childOf = ({ args, onStderr }: Command): FakeChild => {
  let end: (how: ChildEnd) => void = () => undefined;
  let isRunning = true;
  const ended = new Promise<ChildEnd>((resolve) => {
    end = (how) => {
      isRunning = false;
      resolve(how);
    };
  });
  const kill = (): void => end({ exitCode: null, signal: 'SIGKILL', stderr: '' });
  return {
    pid: 1,
    args: commandOf(args),
    ended,
    kill,
    go: () => undefined,
    signal: (name) => void (name === 'SIGKILL' && kill()),
    isRunning: () => isRunning,
    end: (exitCode, stderr = '') => end({ exitCode, signal: null, stderr }),
    says: (text) => onStderr?.(text),
  };
};

export interface FakeCluster {
  readonly standing: Standing;
  readonly moves: BackendMoves;
  readonly children: FakeChild[];
  /** Programs that were started, in short. */
  readonly started: string[];
  readonly clock: { nowMs: number };
}

export const fakeCluster = (begin: Partial<Standing> = {}): FakeCluster => {
  const standing: Standing = {
    source: 'untouched',
    trash: false,
    destination: undefined,
    pools: ['a', 'b'],
    watchers: [],
    ...begin,
  };
  const [children, started, clock]: [FakeChild[], string[], { nowMs: number }] = [[], [], { nowMs: 0 }];
  const known = new Map<string, string>();
  const starting: Children = {
    async start(command) {
      const child = childOf(command);
      children.push(child);
      started.push(`rbd ${child.args.slice(0, 2).join(' ')}`);
      return child;
    },
  };
  const driver = rbdDriver(
    RBD_BACKEND.parse({ name: 'ceph', driver: 'rbd', pools: ['a', 'b'].map((name) => ({ name, pool: name })) }),
    {
      knownPools: {
        idOf: (backend, pool) => known.get(`${backend}#${pool}`),
        remember: async (backend, pool, id) => void known.set(`${backend}#${pool}`, id),
      },
      runTool: async (tool) => {
        const [verb = ''] = tool.program === 'rbd' ? commandOf(tool.args) : [];
        started.push(`${tool.program} ${verb}`.trim());
        return answerOf(standing, tool);
      },
      children: starting,
      runDir: '/nonexistent',
      monotonicMs: () => clock.nowMs,
      // short waits are over in a turn, long ones never
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          if (ms <= LONGEST_PAUSE_MS) setImmediate(resolve);
        }),
    },
  );
  if (!driver.moves) throw new Error('the driver makes no moves');
  return { standing, moves: driver.moves, children, started, clock };
};
