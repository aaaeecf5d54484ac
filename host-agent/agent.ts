import type { BlockDevice } from '../domain/block-device.ts';
import { VolmoveError, volmoveError } from '../domain/error.ts';
import type { Host } from '../domain/host/host.ts';
import { MISSED_BEATS_STOP, placesOf, register, stopHost } from '../domain/host/host.ts';
import type { ObjectRef } from '../domain/placement.ts';
import type { Clock, Notifier, TaskResults } from '../domain/ports.ts';
import type { DataDir } from '../local/data-dir.ts';
import { packageVersion } from '../local/package-root.ts';
import type { Store } from '../store/store.ts';
import { createReports, type Reports } from './backend-reports.ts';
import { createChildren } from './children/child.ts';
import { endLeftOver } from './children/end-left-over.ts';
import type { AgentConfig } from './config.ts';
import { REQUESTS_IN_FLIGHT } from './copy/copy.ts';
import { createSharedBucket } from './copy/token-bucket.ts';
import { createBufferPool } from './device/buffer-pool.ts';
import { DataPathError } from './device/errors.ts';
import { CHUNK_BYTES } from './digest/tree-hash.ts';
import { createBackends } from './drivers/registry.ts';
import { requireBackends } from './drivers/require-backends.ts';
import { createExports, type Exports } from './exports.ts';
import { measureGrowth } from './growth.ts';
import { createHashExports } from './hash-exports.ts';
import { keepBeating } from './heartbeat.ts';
import { loadCertificate, rememberedPort, rememberPort } from './identity.ts';
import type { AgentParts } from './jobs/context.ts';
import { runJob } from './jobs/run-job.ts';
import { openCheckpointJournal } from './journal/checkpoints.ts';
import { type ChildJournal, openChildJournal } from './journal/children.ts';
import { openGenerationJournal } from './journal/generations.ts';
import { openKnownPools } from './journal/known-pools.ts';
import { openLeafJournal } from './journal/leaves.ts';
import { openObjectJournal } from './journal/objects.ts';
import { createLease, type Lease } from './lease.ts';
import { createJobList } from './list-jobs.ts';
import type { Looks } from './look.ts';
import { runLoop } from './loop.ts';
import { connectNbd } from './nbd/client.ts';
import { createNbdServer, type NbdServer } from './nbd/server.ts';
import { freshRunDir } from './run-dir.ts';
import { createRunTool } from './tools/run-tool.ts';

/** The daemon on a storage server: registers, beats, exports, and runs its host's jobs until it is told to stop. */
export interface AgentDeps {
  readonly config: AgentConfig;
  readonly dataDir: DataDir;
  readonly store: Store;
  readonly tasks: TaskResults;
  readonly notifier: Notifier;
  readonly looks: Looks;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly newId: () => string;
  /** Where programs are looked for, as in PATH. */
  readonly path: string;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

export interface Signals {
  /** Let short jobs end, stop copies at their checkpoint. */
  readonly graceful: AbortSignal;
  /** Stop at once. */
  readonly force: AbortSignal;
}

interface Started {
  readonly parts: AgentParts;
  readonly server: NbdServer;
  readonly exports: Exports;
  readonly lease: Lease;
  readonly reports: Reports;
}

const MIB = 1024 * 1024;
const PAUSE_BEFORE_REGISTRATION_MS = 1_000;
/** No lease is held yet; a backend that has not answered by then is offline until it does. */
const FIRST_REPORT_MS = 10_000;

/** A copy that was begun with the remembered port knows no other: one that is taken for a moment is waited for. */
const REMEMBERED_PORT_TRIES = 10;
const REMEMBERED_PORT_PAUSE_MS = 300;

const listen = async (
  deps: AgentDeps,
  certificate: { keyPem: string; certPem: string },
  resolveExport: Exports['resolve'],
  signal: AbortSignal,
): Promise<NbdServer> => {
  const { data_address } = deps.config;
  const colon = data_address.lastIndexOf(':');
  const configured = Number(data_address.slice(colon + 1));
  const port = configured === 0 ? await rememberedPort(deps.dataDir.path) : configured;
  const open = (wanted: number): Promise<NbdServer> =>
    createNbdServer({
      host: data_address.slice(0, colon),
      port: wanted,
      tls: certificate,
      resolveExport,
      onProblem: deps.onProblem,
    });
  const openTaken = async (error: unknown, tries: number): Promise<NbdServer> => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    // a remembered port may have been taken meanwhile; a configured one is the administrator's word
    if (configured !== 0)
      throw volmoveError(
        'AlreadyRunning',
        { reason: `The data address ${data_address} is taken by another process.` },
        { cause: error },
      );
    if (tries === REMEMBERED_PORT_TRIES) return open(0);
    await deps.sleep(REMEMBERED_PORT_PAUSE_MS, signal).catch(() => undefined);
    return open(port).catch((again: unknown) => openTaken(again, tries + 1));
  };
  const server = await open(port).catch((error: unknown) => openTaken(error, 1));
  if (configured === 0)
    await rememberPort(deps.dataDir.path, Number(server.address.slice(server.address.lastIndexOf(':') + 1)));
  return server;
};

/** Asks the clock, too: after a freeze this may be the first to ask. */
const holds = (lease: Lease): boolean => {
  lease.check();
  return !lease.signal.aborted;
};

const start = async (deps: AgentDeps, children: ChildJournal, signal: AbortSignal): Promise<Started> => {
  const { config, dataDir, monotonicMs, sleep } = deps;
  const certificate = await loadCertificate(dataDir.path, config.host_id, deps.clock.nowMs());
  const knownPools = await openKnownPools(dataDir.path);
  const running = createChildren({ journal: children, path: deps.path });
  const backends = createBackends(config.backends, {
    knownPools,
    runTool: createRunTool(deps.path),
    children: running,
    runDir: await freshRunDir(dataDir.path),
    monotonicMs,
    sleep,
  });
  await requireBackends({ backends, known: knownPools, sleep, onProblem: deps.onProblem }, signal);
  let server: NbdServer | undefined;
  const lease = createLease(MISSED_BEATS_STOP * config.heartbeat_seconds * 1000, monotonicMs, (reason) => {
    // running jobs stop by the lease's signal; what others write here stops with their connections
    server?.dropConnections();
    deps.onProblem('lease', reason);
  });
  const openObject = async (object: ObjectRef, mode: 'ro' | 'rw'): Promise<BlockDevice> =>
    (await backends.get(object).open(object, mode, lease.signal)).device;
  const journal = await openGenerationJournal(dataDir.path);
  const leaves = await openLeafJournal(dataDir.path);
  const buffers = createBufferPool(REQUESTS_IN_FLIGHT, CHUNK_BYTES);
  const exports = createExports({
    journal,
    open: (object) => openObject(object, 'rw'),
    endExport: async (name) => server?.endExport(name),
    hashes: createHashExports({ journal, leaves, buffers, openObject: (object) => openObject(object, 'ro') }),
  });
  const resolve: Exports['resolve'] = async (name, peer) => {
    // ends the connection: a refusal would be final for the copy, and the lease may be back in a moment
    if (!holds(lease)) throw new DataPathError('ConnectionLost', 'this host has lost its lease');
    return exports.resolve(name, peer);
  };
  server = await listen(deps, certificate, resolve, signal);
  const perSecond = config.bandwidth_mib_per_second === undefined ? null : config.bandwidth_mib_per_second * MIB;
  const parts: AgentParts = {
    backends,
    exports,
    connect: connectNbd,
    objects: await openObjectJournal(dataDir.path),
    checkpoints: await openCheckpointJournal(dataDir.path),
    leaves,
    identity: { ...certificate, address: server.address },
    settings: {
      progressIntervalSeconds: config.migration_progress_report_interval,
      stallAfterSeconds: config.stall_after_seconds,
      stallFailAfterSeconds: config.stall_fail_after_seconds,
      peerAwaySeconds: config.peer_away_seconds,
      peerAnswerSeconds: config.peer_answer_seconds,
      bandwidthBytesPerSecond: perSecond,
    },
    children: running,
    hostBucket: createSharedBucket({ monotonicMs, sleep, rate: () => perSecond }),
    buffers,
    monotonicMs,
    sleep,
    onProblem: deps.onProblem,
  };
  const reports = createReports({ backends, growth: measureGrowth(backends, journal), monotonicMs, sleep });
  return { parts, server, exports, lease, reports };
};

const registerHost = async (deps: AgentDeps, { parts, reports }: Started, signal: AbortSignal): Promise<Host> => {
  const { config } = deps;
  const nowMs = deps.clock.nowMs();
  const host: Host = {
    id: config.host_id,
    incarnation: deps.newId(),
    dataDirId: deps.dataDir.id,
    address: parts.identity.address,
    fingerprint: parts.identity.fingerprint,
    version: packageVersion(),
    heartbeatMs: config.heartbeat_seconds * 1000,
    backends: await reports(FIRST_REPORT_MS, signal),
    concurrency: config.concurrency,
    migrationProgressReportIntervalSeconds: config.migration_progress_report_interval,
    registeredAtMs: nowMs,
    heartbeatAtMs: nowMs,
    stoppedAtMs: null,
  };
  const { wrote, value } = await deps.store.hosts.create(host);
  return wrote ? value : (await deps.store.hosts.apply([host.id], register(host))).value;
};

/**
 * An agent may be up before its control plane is: it waits for it. What the control plane refuses is final. Undefined when the
 * signal came first.
 */
const registerWhenReachable = async (
  deps: AgentDeps,
  started: Started,
  signal: AbortSignal,
): Promise<Host | undefined> => {
  while (!signal.aborted) {
    try {
      const sentAtMs = deps.monotonicMs();
      const host = await registerHost(deps, started, signal);
      started.lease.renewed(sentAtMs);
      return host;
    } catch (error) {
      if (error instanceof VolmoveError) throw error;
      if (signal.aborted) break;
      deps.onProblem('registration', error);
      await deps.sleep(PAUSE_BEFORE_REGISTRATION_MS, signal).catch(() => undefined);
    }
  }
  return undefined;
};

/** Ends the lease of a host whose heartbeats are not answered, also when nothing else asks. */
const watchLease = async (deps: AgentDeps, { lease }: Started, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await deps.sleep((deps.config.heartbeat_seconds * 1000) / 4, signal).catch(() => undefined);
    lease.check();
  }
};

/** Shows the host as down at once. A control plane that is away will miss its heartbeats instead. */
const sayStopped = async (deps: AgentDeps, host: Host): Promise<void> => {
  try {
    await deps.store.hosts.apply([host.id], stopHost(host.incarnation, deps.clock.nowMs()));
  } catch (error) {
    deps.onProblem('saying that the host stops', error);
  }
};

/** False when the signal came first. */
const endedLeftOver = async (deps: AgentDeps, journal: ChildJournal, signal: AbortSignal): Promise<boolean> => {
  try {
    await endLeftOver({ ...deps, journal, signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
};

/** Resolves after an orderly stop; rejects with AgentSuperseded when another agent has taken the host over. */
export const runAgent = async (
  deps: AgentDeps,
  { graceful, force }: Signals,
  onUp: (host: Host) => void,
): Promise<void> => {
  const children = await openChildJournal(deps.dataDir.path);
  if (!(await endedLeftOver(deps, children, AbortSignal.any([graceful, force])))) return;
  const started = await start(deps, children, AbortSignal.any([graceful, force]));
  const over = new AbortController();
  const stop = AbortSignal.any([force, over.signal]);
  try {
    const host = await registerWhenReachable(deps, started, AbortSignal.any([graceful, stop]));
    if (!host) return;
    onUp(host);
    const { parts, lease, reports } = started;
    const runDeps = { ...deps, parts, incarnation: host.incarnation };
    const beating = keepBeating({ ...deps, lease, reports }, host, stop);
    const watching = watchLease(deps, started, stop);
    const polling = deps.looks.poll(AbortSignal.any([graceful, stop]));
    const working = runLoop(
      {
        list: createJobList(deps.store, parts, host.id),
        run: (job, signal, onPlace) => runJob(runDeps, job, AbortSignal.any([signal, lease.signal]), onPlace),
        nextLook: (signal) => deps.looks.next(signal),
        places: placesOf(host),
        onProblem: deps.onProblem,
        mayBegin: () => holds(lease),
        monotonicMs: deps.monotonicMs,
        sleep: deps.sleep,
      },
      graceful,
      stop,
    );
    await Promise.race([working, beating.then(() => working)]);
    over.abort();
    await Promise.allSettled([beating, watching, polling]);
    if (!force.aborted) await sayStopped(deps, host);
  } finally {
    over.abort();
    started.server.dropConnections();
    try {
      await started.exports.close();
    } finally {
      await started.server.close();
    }
  }
};
