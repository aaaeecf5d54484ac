import type { BlockDevice } from '../../domain/block-device.ts';
import type { VolmoveError } from '../../domain/error.ts';
import { translate } from '../failures.ts';
import type { AgentParts, JobRun } from './context.ts';

/** The other agent, as a job sees it that writes to it. */
export type PeerRun = JobRun<'data.copy'> | JobRun<'data.repair'>;

/** As the control plane knows it by now. */
const addressOf = ({ job, control }: PeerRun): string => control.current().peerAddress ?? job.input.peer.address;

/** `answerTimeoutMs`: of an answer that takes longer than one of a disk. */
export const connectPeer = (
  parts: AgentParts,
  run: PeerRun,
  exportName: string,
  answerTimeoutMs = parts.settings.peerAnswerSeconds * 1000,
): Promise<BlockDevice> => {
  const { fingerprint } = run.job.input.peer;
  const address = addressOf(run);
  const colon = address.lastIndexOf(':');
  return parts.connect({
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    exportName,
    tls: { keyPem: parts.identity.keyPem, certPem: parts.identity.certPem, peerFingerprint: fingerprint },
    answerTimeoutMs,
    // what is there is not asked for, only written or read
    mapped: false,
    signal: run.signal,
  });
};

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

/** Another party at the address may mean that the peer has lost its port while it was away: the control plane tells the new one. */
const comesBack = ({ code }: VolmoveError): boolean => code === 'ConnectionLost' || code === 'PeerCertificateMismatch';

export interface Tries<T> {
  /** Of the source, for messages. */
  readonly where: string;
  /** How far the job is for certain: as long as it grows, the peer was not away. */
  readonly settledBytes: () => Promise<number>;
  /** `onRested`: a pause is over. */
  readonly once: (attempt: number, onRested: () => void) => Promise<T>;
}

/** Comes back under a new attempt, which is a new generation of the export, until the other agent was away for too long. */
export const comingBack = async <T>(parts: AgentParts, run: PeerRun, tries: Tries<T>): Promise<T> => {
  let { attempt } = run.job;
  let lastSettled = -1;
  let awaySinceMs = parts.monotonicMs();
  // a connection that broke during a pause is found broken after it: the peer was not away for so long
  const onRested = (): void => {
    awaySinceMs = parts.monotonicMs();
  };
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
    const to = addressOf(run);
    try {
      return await tries.once(attempt, onRested);
    } catch (thrown) {
      run.signal.throwIfAborted();
      const error = translate(thrown, `from ${tries.where} to ${to}`);
      const settled = await tries.settledBytes();
      if (settled > lastSettled) {
        awaySinceMs = parts.monotonicMs();
        pauseMs = FIRST_PAUSE_MS;
      }
      lastSettled = settled;
      const awaySeconds = (parts.monotonicMs() - awaySinceMs) / 1000;
      if (!comesBack(error) || awaySeconds > parts.settings.peerAwaySeconds) throw error;
      parts.onProblem(`attempt ${attempt} of job ${run.job.id}, which comes back in ${pauseMs} ms`, error);
      await parts.sleep(pauseMs, run.signal);
      attempt = await run.renew();
    }
  }
};
