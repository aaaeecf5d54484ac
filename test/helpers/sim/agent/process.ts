import { MISSED_BEATS_STOP } from '../../../../domain/host/host.ts';
import type { ObjectRef } from '../../../../domain/placement.ts';
import type { Clock } from '../../../../domain/ports.ts';
import { createSharedBucket } from '../../../../host-agent/copy/token-bucket.ts';
import type { BufferPool } from '../../../../host-agent/device/buffer-pool.ts';
import { DataPathError } from '../../../../host-agent/device/errors.ts';
import { CHUNK_BYTES } from '../../../../host-agent/digest/tree-hash.ts';
import type { Backends } from '../../../../host-agent/drivers/registry.ts';
import { createExports } from '../../../../host-agent/exports.ts';
import { createHashExports } from '../../../../host-agent/hash-exports.ts';
import type { AgentParts } from '../../../../host-agent/jobs/context.ts';
import { checkpointsIn } from '../../../../host-agent/journal/checkpoints.ts';
import { generationsIn } from '../../../../host-agent/journal/generations.ts';
import { objectsIn } from '../../../../host-agent/journal/objects.ts';
import { createLease, type Lease } from '../../../../host-agent/lease.ts';
import { createLiveExports } from '../../../../host-agent/nbd/live-exports.ts';
import type { Thread, Turns } from '../turns.ts';
import type { AgentRules, World } from '../world.ts';
import type { Actors } from './actors.ts';
import { type Disk, folderOn } from './disk.ts';
import { worldDriver } from './driver.ts';
import { type Leaves, leafJournalOn } from './leaves.ts';
import { connectOver } from './network.ts';
import type { Link, NetworkParts, Server } from './peers.ts';
import { exportsUnder, tombstonesUnless, watched } from './rules.ts';
import { createSleepers, type Sleepers } from './sleepers.ts';

/** One process of an agent: its real parts over the simulated disk, pools, network and clock. All of it dies at once. */
export interface AgentProcess {
  readonly hostId: string;
  readonly parts: AgentParts;
  readonly lease: Lease;
  readonly server: Server;
  readonly sleepers: Sleepers;
  readonly alive: () => boolean;
  readonly die: () => void;
}

/** What outlives an agent's process. */
export interface HostStorage {
  readonly disk: Disk;
  readonly leaves: Leaves;
}

export interface ProcessParts extends Pick<NetworkParts, 'serverOf'> {
  readonly turns: Turns;
  readonly actors: Actors;
  readonly world: World;
  readonly rules: AgentRules;
  readonly clock: Clock;
  readonly isBusy: (objectName: string) => boolean;
  readonly isOpen: (objectName: string) => boolean;
  readonly onProblem: (what: string, error: unknown) => void;
}

export const HEARTBEAT_MS = 2_000;
const REQUESTS_AT_ONCE = 2;

/** Windows that died with a process are not given back: others are made. */
const windows: (readonly Buffer[])[] = [];
const BUFFERS: BufferPool = {
  async lend(act) {
    const window = windows.pop() ?? Array.from({ length: REQUESTS_AT_ONCE }, () => Buffer.alloc(CHUNK_BYTES));
    try {
      return await act(window);
    } finally {
      windows.push(window);
    }
  },
};

const SETTINGS: AgentParts['settings'] = {
  progressIntervalSeconds: 10,
  stallAfterSeconds: 60,
  stallFailAfterSeconds: null,
  peerAwaySeconds: 120,
  peerAnswerSeconds: 30,
  bandwidthBytesPerSecond: null,
};

const noChildren: AgentParts['children'] = {
  async start() {
    throw new Error('No program is run here.');
  },
};

const backendsOf = (driver: ReturnType<typeof worldDriver>): Backends => {
  const all = new Map([['files', driver]]);
  return { names: [...all.keys()], all, get: () => driver };
};

export const startProcess = async (
  hostId: string,
  { disk, leaves: leafFiles }: HostStorage,
  opened: Set<{ readonly objectName: string }>,
  all: ProcessParts,
): Promise<AgentProcess> => {
  const { turns, actors, world, rules, clock } = all;
  const host = world.host(hostId);
  const monotonicMs = (): number => clock.nowMs();
  const sleepers = createSleepers(monotonicMs);
  const links = new Set<Link>();
  const never = new AbortController().signal;
  let alive = true;
  const breakLinks = (): void => {
    for (const link of [...links]) link.destroy();
    links.clear();
  };
  const lease = createLease(MISSED_BEATS_STOP * HEARTBEAT_MS, monotonicMs, breakLinks);
  const live = createLiveExports();
  const backends = backendsOf(worldDriver({ ...all, hostId, opened }));
  const openObject = async (object: ObjectRef, mode: 'ro' | 'rw') =>
    (await backends.get(object).open(object, mode, never)).device;
  const journal = await generationsIn(folderOn(disk, actors, 'exports'));
  const leaves = leafJournalOn(leafFiles);
  const real = createExports({
    journal,
    open: (object) => openObject(object, 'rw'),
    endExport: (name) => live.end(name),
    hashes: createHashExports({ journal, leaves, buffers: BUFFERS, openObject: (object) => openObject(object, 'ro') }),
  });
  const exports = watched(exportsUnder(rules, real, { journal, open: (object) => openObject(object, 'rw') }), host);
  const identity = { keyPem: '', certPem: '', fingerprint: `fingerprint-of-${hostId}`, address: `${hostId}:9810` };
  const lives = (): boolean => alive;
  const client = { hostId, fingerprint: identity.fingerprint, sleepers, lives };
  const parts: AgentParts = {
    backends,
    exports,
    connect: connectOver(all, client),
    objects: tombstonesUnless(rules, objectsIn(folderOn(disk, actors, 'objects'))),
    checkpoints: checkpointsIn(folderOn(disk, actors, 'checkpoints')),
    leaves,
    identity,
    settings: SETTINGS,
    children: noChildren,
    hostBucket: createSharedBucket({ monotonicMs, sleep: sleepers.sleep, rate: () => null }),
    buffers: BUFFERS,
    monotonicMs,
    sleep: sleepers.sleep,
    onProblem: all.onProblem,
  };
  const newThread = (what: string): Thread => turns.newThread(`agent ${hostId} ${what}`, 'agent', hostId);
  return {
    hostId,
    parts,
    lease,
    sleepers,
    server: {
      exports: live,
      links,
      newThread,
      async resolve(name, peer) {
        lease.check();
        // ends the connection: a refusal would be final for the copy, and the lease may be back in a moment
        if (lease.signal.aborted) throw new DataPathError('ConnectionLost', 'this host has lost its lease');
        return exports.resolve(name, peer);
      },
      async awake() {
        if (host.paused) await actors.turn('goes on where it was frozen', () => undefined);
      },
    },
    alive: lives,
    die() {
      alive = false;
      sleepers.forgetAll();
      opened.clear();
      breakLinks();
    },
  };
};
