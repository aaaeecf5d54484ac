import { describe, expect, it } from 'vitest';
import { newJob } from '../../domain/job/steps.ts';
import { ackToken, offerToken, type TaskToken } from '../../domain/job/token.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore, type Store } from '../../store/store.ts';

/** The token that a job was made for stands in the job; an answered or a newer one in an item beside it. */

const ID = ['host-a', 'j'] as const;
const first = { token: 'first', enteredAtMs: 5, retryCount: 0 };
const later = (change: Partial<TaskToken>): TaskToken => ({
  hostId: 'host-a',
  jobId: 'j',
  acked: false,
  ...first,
  ...change,
});

const withJob = async (waiting?: typeof first): Promise<{ store: Store; items: () => Promise<number> }> => {
  const records = memoryRecords();
  const store = createStore(records);
  const input = { objectName: 'o', place: { hostId: 'host-a', backend: 'files', pool: 'main' }, sizeBytes: 1 };
  await store.jobs.create(
    newJob({
      hostId: 'host-a',
      id: 'j',
      volumeId: 'v',
      projectId: 'p',
      migrationId: null,
      run: 1,
      spec: { kind: 'volume.create', input },
      ...(waiting ? { waiting } : {}),
      nowMs: 0,
    }),
  );
  return { store, items: async () => (await records.query('HOST#host-a', 'TOKEN#')).length };
};

describe('the token that a job was made for', () => {
  it('waits without an item of its own', async () => {
    const { store, items } = await withJob(first);

    expect(await store.tokens.get(...ID)).toEqual(later({}));
    expect(await items()).toBe(0);
  });

  it('is acked beside the job, once', async () => {
    const { store } = await withJob(first);

    const [one, two] = [
      await store.tokens.apply([...ID], ackToken('first')),
      await store.tokens.apply([...ID], ackToken('first')),
    ];

    expect([one.wrote, two.wrote]).toEqual([true, false]);
    expect(await store.tokens.get(...ID)).toEqual(later({ acked: true }));
  });

  it('gives way to a newer one, and never comes back', async () => {
    const { store } = await withJob(first);

    await store.tokens.apply([...ID], offerToken(later({ token: 'newer', enteredAtMs: 6 })));
    const { wrote } = await store.tokens.apply([...ID], ackToken('first'));

    expect(wrote).toBe(false);
    expect(await store.tokens.get(...ID)).toEqual(later({ token: 'newer', enteredAtMs: 6 }));
  });

  it('is not replaced by an older one, nor made a second time', async () => {
    const { store, items } = await withJob(first);

    const offered = await store.tokens.apply([...ID], offerToken(later({ token: 'older', enteredAtMs: 4 })));
    const made = await store.tokens.create(later({ token: 'older', enteredAtMs: 4 }));

    expect([offered.value.token, made.value.token]).toEqual(['first', 'first']);
    expect([offered.wrote, made.wrote, await items()]).toEqual([false, false, 0]);
  });

  it.each([0, 1])(
    'and a newer one that comes while it is acked: the newer waits, whoever is first (%i)',
    async (order) => {
      const { store } = await withJob(first);
      const both = [
        () => store.tokens.apply([...ID], ackToken('first')),
        () => store.tokens.apply([...ID], offerToken(later({ token: 'newer', enteredAtMs: 6 }))),
      ];

      await Promise.all((order === 0 ? both : both.reverse()).map((act) => act()));

      expect(await store.tokens.get(...ID)).toEqual(later({ token: 'newer', enteredAtMs: 6 }));
    },
  );
});

describe('a job that was made anew after it was forgotten', () => {
  it('is waited for by its own token, whatever older one an item has', async () => {
    const { store } = await withJob();
    await store.tokens.create(later({ token: 'older', enteredAtMs: 1, acked: true }));
    await store.jobs.apply([...ID], (job) => ({ kind: 'write', next: { ...job, waiting: first } }));

    const before = await store.tokens.get(...ID);
    await store.tokens.apply([...ID], ackToken('first'));

    expect(before).toEqual(later({}));
    expect(await store.tokens.get(...ID)).toEqual(later({ acked: true }));
  });
});

describe('a job that nobody waited for', () => {
  it('has no token until one is offered', async () => {
    const { store } = await withJob();

    const before = await store.tokens.get(...ID);
    const made = await store.tokens.create(later({}));

    expect(before).toBeUndefined();
    expect(made.wrote).toBe(true);
    expect(await store.tokens.get(...ID)).toEqual(later({}));
  });

  it('that is not there has nobody who waits', async () => {
    const { store } = await withJob();

    await expect(store.tokens.apply(['host-a', 'another'], ackToken('first'))).rejects.toMatchObject({
      code: 'JobNotFound',
    });
  });
});
