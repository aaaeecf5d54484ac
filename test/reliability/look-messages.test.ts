import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job/job.ts';
import { createLooks } from '../../host-agent/look.ts';
import { runLoop } from '../../host-agent/loop.ts';
import { aJob } from '../helpers/factories.ts';
import { aRunningJob } from '../helpers/running-job.ts';

/** A message on a host’s queue only says "look": what there is to do stands in the table. */

type Delivery = 'message' | 'nothing' | 'deletion fails' | 'error';

interface Heard {
  readonly begun: string[];
  readonly wishes: string[];
  readonly looks: number;
}

/**
 * An agent’s loop over a queue that delivers as it is told. Between two deliveries a job may come onto the list; when nothing
 * is delivered any more, only the time between two looks goes by.
 */
const listen = async (
  deliveries: readonly Delivery[],
  lists: readonly (readonly Job[])[],
  looksAtAll: number,
): Promise<Heard> => {
  const over = new AbortController();
  const begun: string[] = [];
  const wishes: string[] = [];
  const left = [...deliveries];
  let looks = 0;
  const client = {
    send: async (command: object) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (command.constructor.name.startsWith('Delete')) {
        if (deliveries.includes('deletion fails')) throw new Error('not deleted');
        return {};
      }
      const next = left.shift() ?? 'nothing';
      if (next === 'error') throw new Error('the queue is away');
      return next === 'nothing' ? {} : { Messages: [{ ReceiptHandle: 'r', Body: 'not even JSON' }] };
    },
  } as unknown as SQSClient;
  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      const end = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener('abort', end, { once: true });
    });
  const tools = { sleep: pause, onProblem: () => undefined };
  const source = createLooks({ client, queueUrl: async () => 'url', everyMs: 5, ...tools });
  const polling = source.poll(over.signal);
  await runLoop(
    {
      async list() {
        if (++looks >= looksAtAll) over.abort();
        return [...(lists[Math.min(looks, lists.length) - 1] ?? [])];
      },
      run: (job) => {
        begun.push(job.id);
        const done = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()));
        return aRunningJob(job, { heard: (now) => void wishes.push(`${now.id} ${now.control.paused}`), done });
      },
      nextLook: (signal) => source.next(signal),
      places: { host: 4, backends: {} },
      monotonicMs: () => 0,
      ...tools,
    },
    over.signal,
    over.signal,
  );
  await polling;
  return { begun, wishes, looks };
};

const first = aJob({ id: 'first', queuedAtMs: 1 });
const second = aJob({ id: 'second', queuedAtMs: 2 });
const paused = aJob({
  id: 'first',
  queuedAtMs: 1,
  control: { ...first.control, paused: true },
  stage: { state: 'running', incarnation: 'host-a-1', sinceMs: 0 },
});

describe('a message to a host', () => {
  it('that is lost delays its job to the next look, and loses nothing', async () => {
    const { begun } = await listen([], [[], [first], [first, second]], 4);

    expect(begun).toEqual(['first', 'second']);
  });

  it('that comes twice, or again because its deletion failed, begins nothing twice', async () => {
    const twice = await listen(['message', 'message', 'message'], [[first]], 6);
    const undeleted = await listen(['message', 'deletion fails', 'message'], [[first]], 6);

    expect(twice.begun).toEqual(['first']);
    expect(undeleted.begun).toEqual(['first']);
  });

  it('that is late, or overtaken by a later one, finds what stands in the table then', async () => {
    const early = await listen(
      ['message', 'message'],
      [
        [second, first],
        [second, paused],
      ],
      3,
    );
    const late = await listen(['nothing', 'nothing', 'message'], [[], [second, paused]], 3);

    expect(early.begun).toEqual(['first', 'second']);
    expect(early.wishes).toContain('first true');
    expect(late.begun).toEqual(['first', 'second']);
  });

  it('is not needed: a queue that cannot be read at all holds nothing up', async () => {
    const { begun } = await listen(
      Array.from({ length: 20 }, () => 'error' as const),
      [[], [first]],
      3,
    );

    expect(begun).toEqual(['first']);
  });
});
