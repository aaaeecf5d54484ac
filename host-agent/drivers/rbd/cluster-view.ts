import { stat } from 'node:fs/promises';
import type * as z from 'zod';
import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import { CEPH, type Commands } from './commands.ts';
import type { RbdBackend } from './config.ts';
import { refusalBy, textOf } from './errors.ts';
import { DF, FSID, HEALTH, LSPOOLS, parseReport } from './report.ts';

/** The cluster as its monitors tell it: which one it is, which pools it has, and how full they are. */
export interface ClusterView {
  readonly fsid: string;
  readonly poolIds: ReadonlyMap<string, number>;
  /** Undefined: nobody counts, because no manager is active. A pool that is new is not in it until it was counted. */
  readonly usage: ReadonlyMap<string, Usage> | undefined;
}

export interface Usage {
  readonly storedBytes: number;
  /** What can still be written, by the pool's quota too. */
  readonly freeBytes: number;
  /** Of the pool; 0: none. */
  readonly quotaBytes: number;
}

export interface ClusterViews {
  /** Not older than the question. BackendOffline, or NotPermitted. */
  now(signal: AbortSignal): Promise<ClusterView>;
  /** One that may be some seconds old: the monitors take ten times as long to answer as an image. */
  recent(signal: AbortSignal): Promise<ClusterView>;
  /** The same, but one that lacks figures of our pools is not used again: they may be there by now. */
  recentFigures(signal: AbortSignal): Promise<ClusterView>;
}

const QUESTIONS = ['fsid', 'osd lspools', 'health', 'df detail'];
/** Its monitors hang up on whoever asks for what they do not have. */
const UNENCRYPTED =
  'require_encryption is set: see that the cluster has ms_service_mode and ms_mon_service_mode secure';
const RECENT_MS = 10_000;

const usageOf = ({ pools }: z.infer<typeof DF>): Map<string, Usage> =>
  new Map(
    pools.map(({ name, stats: { stored, max_avail: available, quota_bytes: quotaBytes } }) => [
      name,
      {
        storedBytes: stored,
        freeBytes: quotaBytes === 0 ? available : Math.max(0, Math.min(available, quotaBytes - stored)),
        quotaBytes,
      },
    ]),
  );

/** From the answers to QUESTIONS, a line each. */
export const parseView = (stdout: string): ClusterView | undefined => {
  const answers = stdout.split('\n').filter((line) => line.trim() !== '');
  if (answers.length !== QUESTIONS.length) return undefined;
  const [fsid = '', lspools = '', health = '', detail = ''] = answers;
  const df = parseReport(DF, detail, CEPH.program);
  const { checks } = parseReport(HEALTH, health, CEPH.program);
  return {
    fsid: parseReport(FSID, fsid, CEPH.program).fsid,
    poolIds: new Map(
      parseReport(LSPOOLS, lspools, CEPH.program).map(({ poolname, poolnum }) => [poolname, poolnum] as const),
    ),
    // the figures of a manager that is gone stay; one that has just begun has counted nothing
    usage: 'MGR_DOWN' in checks ? undefined : usageOf(df.stats.total_bytes === 0 ? { ...df, pools: [] } : df),
  };
};

/** Another text for each change of the file: it may name another cluster then. */
const stampOf = async (conf: string): Promise<string> => {
  const found = await stat(conf, { bigint: true }).catch(() => undefined);
  return found ? `${found.ino} ${found.size} ${found.mtimeNs}` : '';
};

type Backend = Pick<RbdBackend, 'name' | 'pools' | 'conf' | 'timeout_seconds' | 'require_encryption'>;

const lacksFigures = ({ poolIds, usage }: ClusterView, { pools }: Backend): boolean =>
  pools.some(({ pool }) => poolIds.has(pool) && !usage?.has(pool));

export const clusterViews = (backend: Backend, commands: Commands, monotonicMs: () => number): ClusterViews => {
  const { name: place, timeout_seconds: timeoutSeconds } = backend;
  let last: { readonly view: ClusterView; readonly atMs: number; readonly conf: string } | undefined;

  const refusedFor = (code: 'BackendOffline' | 'NotPermitted', reason: string, cause: unknown): VolmoveError =>
    volmoveError(code, { place, reason: backend.require_encryption ? `${reason}; ${UNENCRYPTED}` : reason }, { cause });

  const ask = async (signal: AbortSignal): Promise<ClusterView> => {
    const end = await commands.ceph(QUESTIONS, signal).catch((error: unknown) => {
      if (!(error instanceof VolmoveError) || error.code !== 'BackendTimedOut') throw error;
      // nothing was changed by it: what it means is that nobody is there
      throw refusedFor('BackendOffline', error.message, error);
    });
    const view = parseView(end.stdout);
    if (view) return view;
    const refusal = refusalBy(end, { place, timeoutSeconds });
    if (refusal.code === 'NotPermitted' && !backend.require_encryption) throw refusal;
    throw refusedFor(refusal.code === 'NotPermitted' ? 'NotPermitted' : 'BackendOffline', textOf(end), refusal);
  };

  const now = async (signal: AbortSignal): Promise<ClusterView> => {
    const [atMs, conf] = [monotonicMs(), await stampOf(backend.conf)];
    try {
      const view = await ask(signal);
      last = { view, atMs, conf };
      return view;
    } catch (error) {
      last = undefined;
      throw error;
    }
  };
  const recentThat = async (fits: (view: ClusterView) => boolean, signal: AbortSignal): Promise<ClusterView> => {
    const before = last;
    const isFresh = before !== undefined && monotonicMs() - before.atMs < RECENT_MS && fits(before.view);
    return isFresh && before.conf === (await stampOf(backend.conf)) ? before.view : now(signal);
  };
  return {
    now,
    recent: (signal) => recentThat(() => true, signal),
    recentFigures: (signal) => recentThat((view) => !lacksFigures(view, backend), signal),
  };
};
