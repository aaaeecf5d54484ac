import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Delivery, openJournal } from '../../embedded/bus/journal.ts';
import { tempDir } from './cloud.ts';

const delivery = (n: number): Delivery => ({
  id: `event-${n}/r/t`,
  busName: 'default',
  ruleName: 'r',
  target: { Id: 't', Arn: 'arn:aws:sqs:us-east-1:000000000000:audit' },
  event: {
    version: '0',
    id: `event-${n}`,
    'detail-type': 'Volume Migration Progress',
    source: 'volmove',
    account: '000000000000',
    time: '2026-11-24T10:11:12Z',
    region: 'us-east-1',
    resources: [],
    detail: { n },
  },
});

const fail = (error: unknown): void => {
  throw error;
};

const reopen = async (path: string) => {
  const journal = await openJournal({ path, onError: fail });
  await journal.close();
  return journal.left.map(({ id }) => id);
};

describe('the journal of events', () => {
  it('knows after a restart exactly what was put and not done, however puts, dones and rewrites mix', async () => {
    const dir = await tempDir();
    let run = 0;

    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ n: fc.nat(5), done: fc.boolean() }), { maxLength: 30 }), async (steps) => {
        run += 1;
        const path = join(dir, `events-${run}.log`);
        const journal = await openJournal({ path, onError: fail, compactAboveBytes: 500 });
        const open = new Set<string>();
        for (const { n, done } of steps) {
          if (done) open.delete(delivery(n).id);
          else open.add(delivery(n).id);
        }

        await Promise.all(steps.map(({ n, done }) => (done ? journal.done(delivery(n)) : journal.put([delivery(n)]))));
        await journal.close();

        expect((await reopen(path)).toSorted()).toEqual([...open].toSorted());
      }),
      { numRuns: 25 },
    );
  });

  it('does not grow without end', async () => {
    const path = join(await tempDir(), 'events.log');
    const journal = await openJournal({ path, onError: fail, compactAboveBytes: 2_000 });

    for (let n = 0; n < 100; n += 1) {
      await journal.put([delivery(n)]);
      await journal.done(delivery(n));
    }
    await journal.close();

    expect((await stat(path)).size).toBeLessThan(4_000);
  });

  it('passes over a line that was torn', async () => {
    const path = join(await tempDir(), 'events.log');
    const journal = await openJournal({ path, onError: fail });
    await journal.put([delivery(1), delivery(2)]);
    await journal.close();
    await appendFile(path, '{"done":"event-1/');

    const left = await reopen(path);

    expect(left).toEqual(['event-1/r/t', 'event-2/r/t']);
    expect(await readFile(path, 'utf8')).not.toContain('done');
  });
});
