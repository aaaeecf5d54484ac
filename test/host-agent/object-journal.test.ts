import { describe, expect, it } from 'vitest';
import { openObjectJournal } from '../../host-agent/journal/objects.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { deferred, until } from '../data-path/helpers/until.ts';
import { refusalOf } from '../helpers/refusal.ts';

const NAME = 'volume-v-m-1';

describe('the object journal', () => {
  it('refuses a create after its removal, also when there was nothing to remove, and does not even begin it', async () => {
    const journal = await openObjectJournal(await tempDir());
    await journal.bury(NAME, async () => false);
    let began = false;

    const error = await refusalOf(
      journal.make(NAME, async () => {
        began = true;
      }),
    );

    expect(error.code).toBe('ObjectTombstoned');
    expect(began).toBe(false);
  });

  it('remembers a tombstone over a restart', async () => {
    const directory = await tempDir();
    await (await openObjectJournal(directory)).bury(NAME, async () => true);

    const reopened = await openObjectJournal(directory);

    expect((await refusalOf(reopened.make(NAME, async () => undefined))).code).toBe('ObjectTombstoned');
    expect(await reopened.bury(NAME, async () => 'again')).toBe('again');
  });

  it('stands with its tombstone on disk before the removal looks', async () => {
    const directory = await tempDir();
    const journal = await openObjectJournal(directory);

    const seenByAnother = await journal.bury(NAME, async () =>
      refusalOf((await openObjectJournal(directory)).make(NAME, async () => undefined)),
    );

    expect(seenByAnother.code).toBe('ObjectTombstoned');
  });

  it('keeps the tombstone when the removal fails: the next try may remove, nobody may create', async () => {
    const journal = await openObjectJournal(await tempDir());

    await thrownBy(journal.bury(NAME, () => Promise.reject(new Error('busy'))));

    expect((await refusalOf(journal.make(NAME, async () => undefined))).code).toBe('ObjectTombstoned');
    expect(await journal.bury(NAME, async () => true)).toBe(true);
  });

  it('makes a removal wait for the create that is open, so that it finds what that made', async () => {
    const journal = await openObjectJournal(await tempDir());
    const gate = deferred();
    const order: string[] = [];
    const making = journal.make(NAME, async () => {
      order.push('create begins');
      await gate.promise;
      order.push('create ends');
    });
    await until('the create has begun', () => order.length === 1);

    const burying = journal.bury(NAME, async () => order.push('removal looks'));
    await journal.bury('another', async () => order.push('another object does not wait'));
    gate.resolve();
    await Promise.all([making, burying]);

    expect(order).toEqual(['create begins', 'another object does not wait', 'create ends', 'removal looks']);
  });

  it('lets a create whose answer was lost be tried again, also after a restart', async () => {
    const directory = await tempDir();
    const journal = await openObjectJournal(directory);
    await thrownBy(journal.make(NAME, () => Promise.reject(new Error('time-out'))));

    const reopened = await openObjectJournal(directory);

    expect(await reopened.make(NAME, async () => 'made')).toBe('made');
    expect(await reopened.make(NAME, async () => 'made again')).toBe('made again');
  });
});
