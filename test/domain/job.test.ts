import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { isJobEnded, type Job, RECENT_REPORTS, resultOf } from '../../domain/job/job.ts';
import { proofOf } from '../../domain/job/proof.ts';
import { failJob, finishJob, reportProgress, takeJob, wishJob } from '../../domain/job/steps.ts';
import { ackToken, offerToken } from '../../domain/job/token.ts';
import type { Verify } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, anObject, aReport, DESTINATION } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 1_000;
const failure = volmoveError('IoError', { reason: 'bad sector' }).toFailure();
const copied = { digest: 'd', writeEpoch: 3, generation: 1, bytesRead: 1, bytesWritten: 1, durationMs: 1 };
const queued = aJob();
const taken = written(takeJob('one', 0, nowMs)(queued));
const holder = { attempt: 1, incarnation: 'one' };
const ended = written(finishJob(holder, { ok: true, result: copied }, nowMs)(taken));

describe('taking a job', () => {
  it('raises its attempt and names who holds it', () => {
    expect(taken).toMatchObject({ attempt: 1, stage: { state: 'running', incarnation: 'one', sinceMs: nowMs } });
    expect(takeJob('one', 0, nowMs)(taken).kind).toBe('already');
  });

  it('over from an older incarnation makes the older one’s words void', () => {
    const over = written(takeJob('two', 1, nowMs)(taken));

    expect(over).toMatchObject({ attempt: 2, stage: { incarnation: 'two' } });
    expect(refusedBy(reportProgress(holder, aReport(), null)(over)).code).toBe('JobSuperseded');
    expect(refusedBy(finishJob(holder, { ok: true, result: copied }, nowMs)(over)).code).toBe('JobSuperseded');
  });

  it('is refused to whoever read an older attempt, and when it has ended', () => {
    expect(refusedBy(takeJob('two', 0, nowMs)(taken)).code).toBe('JobSuperseded');
    expect(refusedBy(takeJob('one', 1, nowMs)(ended)).code).toBe('JobSuperseded');
  });
});

describe('a running job', () => {
  it('keeps its last reports, oldest first, and a bounded number of them', () => {
    let job: Job = taken;
    for (let n = 1; n <= RECENT_REPORTS + 3; n++) job = written(reportProgress(holder, aReport({ n }), null)(job));

    expect(job.progress?.n).toBe(RECENT_REPORTS + 3);
    expect(job.recent.map((report) => report.n)).toEqual(Array.from({ length: RECENT_REPORTS }, (_, i) => i + 4));
  });

  it('remembers since when nothing moves, until it moves or ends', () => {
    const stalled = written(reportProgress(holder, aReport(), START_MS)(taken));
    const moves = written(reportProgress(holder, aReport({ n: 2 }), null)(stalled));
    const over = written(finishJob(holder, { ok: false, failure }, nowMs)(stalled));

    expect([stalled, moves, over].map((job) => job.stalledSinceMs)).toEqual([START_MS, null, null]);
  });

  it('ends once, with the result of the attempt that holds it', () => {
    expect(ended.stage).toEqual({ state: 'succeeded', endedAtMs: nowMs, result: copied });
    expect(finishJob(holder, { ok: false, failure }, nowMs)(ended)).toEqual({ kind: 'already', current: ended });
    expect(resultOf(ended, 'data.copy')).toEqual(copied);
    expect(resultOf(ended, 'data.verify')).toBeUndefined();
    expect(resultOf(taken, 'data.copy')).toBeUndefined();
  });

  it('can be failed by the sweeper, whoever holds it; what the agent says then comes too late', () => {
    const failed = written(failJob(failure, nowMs)(taken));

    expect(failed.stage).toEqual({ state: 'failed', endedAtMs: nowMs, failure });
    expect(failJob(failure, nowMs)(failed).kind).toBe('already');
    expect(refusedBy(reportProgress(holder, aReport(), null)(failed)).code).toBe('JobSuperseded');
    expect(finishJob(holder, { ok: true, result: copied }, nowMs)(failed)).toEqual({
      kind: 'already',
      current: failed,
    });
    expect([queued, taken, ended, failed].map(isJobEnded)).toEqual([false, false, true, true]);
  });
});

describe('a wish', () => {
  it('to cancel ends a job that nobody has taken, and is left to whoever holds one', () => {
    const never = written(wishJob({ cancel: true }, failure, nowMs)(queued));
    const asked = written(wishJob({ cancel: true }, failure, nowMs)(taken));

    expect(never.stage).toEqual({ state: 'failed', endedAtMs: nowMs, failure });
    expect(asked).toMatchObject({ control: { cancel: true }, stage: taken.stage });
    expect(wishJob({ cancel: true }, failure, nowMs)(asked).kind).toBe('already');
    expect(wishJob({ cancel: true }, failure, nowMs)(ended).kind).toBe('already');
  });

  it('changes what it names and nothing else', () => {
    const paused = written(wishJob({ paused: true }, failure, nowMs)(taken));
    const slow = written(wishJob({ bandwidthBytesPerSecond: 5 }, failure, nowMs)(paused));

    expect(slow.control).toEqual({ cancel: false, paused: true, bandwidthBytesPerSecond: 5, reportNow: 0 });
  });
});

describe('task tokens', () => {
  const stored = { hostId: 'h', jobId: 'j', token: 'a', enteredAtMs: 5, retryCount: 1, acked: true };

  it.each([
    ['a later entry of the state', { enteredAtMs: 6, retryCount: 0 }, true],
    ['a later retry of the same entry', { enteredAtMs: 5, retryCount: 2 }, true],
    ['the same entry and retry', { enteredAtMs: 5, retryCount: 1 }, false],
    ['an earlier retry', { enteredAtMs: 5, retryCount: 0 }, false],
    ['an earlier entry, however often retried', { enteredAtMs: 4, retryCount: 9 }, false],
  ])('of %s', (_what, order, taken) => {
    const offered = { ...stored, ...order, token: 'b', acked: false };

    const decision = offerToken(offered)(stored);

    expect(decision).toEqual(taken ? { kind: 'write', next: offered } : { kind: 'already', current: stored });
  });

  it('offered again stays as it is, acked included', () => {
    expect(offerToken({ ...stored, acked: false, enteredAtMs: 9 })(stored)).toEqual({
      kind: 'already',
      current: stored,
    });
  });

  it('is acked only while it is still the one that was answered', () => {
    const waiting = { ...stored, acked: false };

    expect(written(ackToken('a')(waiting)).acked).toBe(true);
    expect(ackToken('older')(waiting).kind).toBe('already');
    expect(ackToken('a')(stored).kind).toBe('already');
  });
});

describe('a proof', () => {
  const object = anObject('made', DESTINATION);
  const spec = {
    kind: 'data.verify',
    input: { object, sizeBytes: 1, progressIntervalSeconds: null, digest: true },
  } as const;
  const verified = (result: { digest: string | null; generation: number }): Job =>
    aJob({ stage: { state: 'succeeded', endedAtMs: nowMs, result: { ...result, readback: 'direct' } } }, spec);
  const copy = (change: Partial<typeof copied> | { digest: null }): Job =>
    aJob({ stage: { state: 'succeeded', endedAtMs: nowMs, result: { ...copied, ...change } } });
  const proof = (copied: Job | undefined, verify: Job | undefined, asked: Verify = 'full') =>
    proofOf({ copy: copied, verify, repair: undefined, reverify: undefined }, asked);

  it('is equal digests of the generation that was sealed', () => {
    expect(proof(copy({}), verified({ digest: 'd', generation: 1 }))).toEqual({
      kind: 'digest',
      digest: 'd',
      writeEpoch: 3,
      generation: 1,
    });
  });

  it.each<[string, Job | undefined, Job | undefined, string]>([
    ['the copy is missing', undefined, verified({ digest: 'd', generation: 1 }), 'NoProof'],
    ['the copy has not ended', aJob(), verified({ digest: 'd', generation: 1 }), 'NoProof'],
    [
      'the copy has failed',
      written(failJob(failure, nowMs)(taken)),
      verified({ digest: 'd', generation: 1 }),
      'NoProof',
    ],
    ['nothing was sealed', copy({}), undefined, 'NoProof'],
    ['another generation was sealed', copy({}), verified({ digest: 'd', generation: 2 }), 'NoProof'],
    ['the source has no digest', copy({ digest: null }), verified({ digest: 'd', generation: 1 }), 'NoProof'],
    ['the destination has no digest', copy({}), verified({ digest: null, generation: 1 }), 'NoProof'],
    ['the digests differ', copy({}), verified({ digest: 'x', generation: 1 }), 'DigestMismatch'],
  ])('is not there when %s', (_why, copyJob, verifyJob, code) => {
    expect(() => proof(copyJob, verifyJob)).toThrow(expect.objectContaining({ code }));
  });

  it('of nothing still needs the copy and the seal', () => {
    const nothing = { digest: null, generation: 1 };

    expect(proof(copy({ digest: null }), verified(nothing), 'none')).toEqual({ kind: 'none', writeEpoch: 3 });
    expect(() => proof(copy({ digest: null }), undefined, 'none')).toThrow(
      expect.objectContaining({ code: 'NoProof' }),
    );
    expect(() => proof(copy({ generation: 2 }), verified(nothing), 'none')).toThrow(
      expect.objectContaining({ code: 'NoProof' }),
    );
  });
});
