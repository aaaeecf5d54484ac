import { QueueDoesNotExist, type SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createRate } from '../../host-agent/copy/rate.ts';
import { keepBeating } from '../../host-agent/heartbeat.ts';
import { createLease } from '../../host-agent/lease.ts';
import { createLooks } from '../../host-agent/look.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore } from '../../store/store.ts';
import { fakeClock } from '../helpers/clock.ts';
import { aHost } from '../helpers/factories.ts';

describe('the lease', () => {
  it('is counted from when the heartbeat was sent, not from when its answer came', () => {
    let nowMs = 0;
    const lease = createLease(6_000, () => nowMs);
    nowMs = 5_000;

    lease.renewed(1_000);
    nowMs = 7_001;

    expect(lease.check()).toBe(true);
  });

  it('does not come back with an answer that is too old', () => {
    let nowMs = 0;
    const lease = createLease(6_000, () => nowMs);
    nowMs = 10_000;
    lease.check();

    lease.renewed(3_999);
    const tooOld = lease.signal.aborted;
    lease.renewed(4_000);

    expect([tooOld, lease.signal.aborted]).toEqual([true, false]);
  });

  it('never goes back with answers that overtake each other', () => {
    let nowMs = 0;
    const lease = createLease(6_000, () => nowMs);
    nowMs = 5_000;

    lease.renewed(5_000);
    lease.renewed(1_000);
    nowMs = 11_000;

    expect(lease.check()).toBe(false);
  });

  it('is renewed by the heartbeat as of its sending', async () => {
    let nowMs = 0;
    const store = createStore(memoryRecords());
    await store.hosts.create(aHost('host-a'));
    const stop = new AbortController();
    const lease = createLease(6_000, () => nowMs);
    const slow = {
      ...store.hosts,
      apply: async (...args: Parameters<typeof store.hosts.apply>) => {
        nowMs += 4_000;
        return store.hosts.apply(...args);
      },
    };
    const deps = {
      store: { hosts: slow },
      reports: async () => [],
      clock: fakeClock(),
      lease,
      monotonicMs: () => nowMs,
      sleep: async () => stop.abort(),
      onProblem: () => undefined,
    };

    await keepBeating(deps, aHost('host-a'), stop.signal);
    nowMs = 6_001;

    expect(lease.check()).toBe(true);
  });
});

describe('polling a queue that does not exist', () => {
  it('is tried again at once only once in a row, then it says so and waits', async () => {
    const stop = new AbortController();
    const happened: string[] = [];
    const looks = createLooks({
      client: {} as SQSClient,
      queueUrl: async () => {
        happened.push('ask');
        if (happened.length > 50) stop.abort();
        throw new QueueDoesNotExist({ message: 'no such queue', $metadata: {} });
      },
      everyMs: 1_000,
      sleep: async () => {
        happened.push('pause');
        if (happened.filter((h) => h === 'pause').length === 2) stop.abort();
      },
      onProblem: (what) => happened.push(what),
    });

    await looks.poll(stop.signal);

    expect(happened).toEqual(['ask', 'ask', 'polling the queue', 'pause', 'ask', 'polling the queue', 'pause']);
  });

  it('that was there a moment ago is asked for at once, each time', async () => {
    const stop = new AbortController();
    const happened: string[] = [];
    const answers = ['gone', 'ok', 'gone', 'ok', 'end'];
    const client = {
      send: async () => {
        const answer = answers.shift();
        if (answer === 'end') stop.abort();
        if (answer !== 'ok') throw new QueueDoesNotExist({ message: 'no such queue', $metadata: {} });
        return {};
      },
    } as unknown as SQSClient;
    const looks = createLooks({
      client,
      queueUrl: async () => {
        happened.push('ask');
        return 'url';
      },
      everyMs: 1_000,
      sleep: async () => {
        happened.push('pause');
      },
      onProblem: (what) => happened.push(what),
    });

    await looks.poll(stop.signal);

    expect(happened).toEqual(['ask', 'ask', 'ask']);
  });
});

describe('a rate', () => {
  it('begins with what was there already: a resume shows only what moves', () => {
    let nowMs = 0;
    const rate = createRate(() => nowMs);
    nowMs = 1_000;
    const first = rate.add(500 * 1024 ** 3);
    nowMs = 2_000;
    const second = rate.add(500 * 1024 ** 3 + 1_000_000);

    expect([first, second]).toEqual([0, 1_000_000]);
  });
});
