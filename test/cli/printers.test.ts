import { describe, expect, it } from 'vitest';
import type { Migration } from '../../cli/api/types.ts';
import { lineWidth, renderLine } from '../../cli/output/line.ts';
import { ASCII } from '../../cli/output/paint.ts';
import { utc } from '../../cli/output/units.ts';
import type { OutputStream } from '../../cli/runtime/deps.ts';
import { frame } from '../../cli/watch/frame.ts';
import { look, type MigrationView } from '../../cli/watch/monitor.ts';
import { createPlainPrinter } from '../../cli/watch/plain-printer.ts';
import { createTerminalPrinter } from '../../cli/watch/terminal-printer.ts';
import { verdictOf } from '../../cli/watch/verdict.ts';
import { aFailure, aMigration, aProgress, aSuccess, at, GIB, migrationId, NOW_MS, needsYou } from './builders.ts';

const view = (migration: Migration): MigrationView => look(undefined, migration, NOW_MS);
const drawn = (views: readonly MigrationView[], rows = 40, columns = 90, trouble: string | null = null): string[] =>
  frame(views, trouble, { columns, rows, marks: ASCII }).map((line) =>
    renderLine(line, (_tone, text) => text).trimEnd(),
  );

describe('the picture of a migration', () => {
  it('shows the phases, a bar, amounts, rate and estimate', () => {
    expect(drawn([view(aMigration({ locked: true }))])).toEqual([
      'data1  8.0 GiB  store-a@files#p1 -> store-b@files#p1  locked',
      '  + validating   10 s',
      '  + locking      10 s',
      '  + preparing    10 s',
      '  > copying      10 s',
      '    #################.....................  45 %  3.6 GiB of 8.0 GiB  312 MiB/s, ETA 14 s',
      '  . verifying',
      '  . finalizing',
    ]);
  });

  it('says that the estimate is unknown and how long nothing has moved', () => {
    const progress = aProgress({ rate_bytes_per_second: 0, stalled_since: at(-45), attempt: 2 });

    const lines = drawn([view(aMigration({ progress }))]);

    expect(lines[4]).toBe('  > copying      10 s  attempt 2');
    expect(lines[5]).toContain('0 B/s, ETA unknown');
    expect(lines[6]).toBe('    no progress for 45 s');
  });

  it('shows that a migration is paused, where it would say that nothing moves', () => {
    const progress = aProgress({ activity: 'paused', rate_bytes_per_second: 0, eta_seconds: null, at: at(-3600) });

    const lines = drawn([view(aMigration({ paused: { by: 'ann', at: at(-3600) }, progress }))]);

    expect(lines[0]).toBe('data1  8.0 GiB  store-a@files#p1 -> store-b@files#p1  paused');
    expect(lines[6]).toBe('    paused');
  });

  it('shows the zeroing of the rest of a larger destination', () => {
    const zeroing = { done_bytes: GIB, total_bytes: 3 * GIB };
    const progress = aProgress({ done_bytes: 8 * GIB, activity: 'zeroing', zeroing });

    const lines = drawn([view(aMigration({ progress }))], 40, 120);

    expect(lines[5]).toContain('99 %  zeroing the rest of the destination, 1.0 GiB of 3.0 GiB');
  });

  it('shows what broke and that something is left over', () => {
    const lines = drawn([view(aFailure({ cleanup: needsYou }))]);

    expect(lines).toContain('  x copying      10 s');
    expect(lines).toContain('  - verifying    not reached');
    expect(lines.at(-1)).toBe('  x cleaning up  needs you');
  });

  it('gives each migration one line when the window is low, and counts those that do not fit', () => {
    const views = [1, 2, 3].map((n) => view(aMigration({ id: migrationId(n), volume_name: `data${n}` })));

    const three = drawn(views, 8);
    const two = drawn(views, 3);

    expect(three).toHaveLength(3);
    expect(three[0]).toBe('> data1  copying      ####......  45 %  3.6 GiB of 8.0 GiB  312 MiB/s, ETA 14 s');
    expect(two).toEqual([three[0], 'and 2 more']);
  });

  it('tells the whole trouble, on as many lines as it needs', () => {
    const lines = drawn([view(aMigration())], 40, 40, 'No answer from http://127.0.0.1:8776: nothing listens there.');

    expect(lines.slice(-2)).toEqual(['No answer from http://127.0.0.1:8776:', 'nothing listens there.']);
  });

  it.each([
    [20, 5],
    [40, 10],
    [80, 24],
    [200, 60],
  ])('fits a window of %i columns and %i rows', (columns, rows) => {
    const views = [1, 2, 3].map((n) => view(aMigration({ id: migrationId(n), volume_name: 'n'.repeat(50) })));

    const lines = frame(views, 'trouble '.repeat(40), { columns, rows, marks: ASCII });

    expect(lines.length).toBeLessThan(rows);
    expect(Math.max(...lines.map(lineWidth))).toBeLessThanOrEqual(columns);
  });
});

describe('the terminal printer', () => {
  const record = () => {
    const written: string[] = [];
    const stream: OutputStream = { write: (t) => written.push(t), isTty: true, columns: () => 90, rows: () => 30 };
    return { written, printer: createTerminalPrinter({ NO_COLOR: '1' }, stream) };
  };

  it('hides the cursor once, redraws in place, and gives the cursor back', () => {
    const { written, printer } = record();

    printer.update([view(aMigration())], null, NOW_MS);
    printer.update([view(aMigration())], null, NOW_MS);
    printer.close();

    expect(written[0]?.startsWith('\u001b[?25l\r')).toBe(true);
    expect(written[1]?.startsWith('\u001b[8A\r')).toBe(true);
    expect(written.at(-1)).toBe('\u001b[?25h');
  });

  it('ends with the verdict', () => {
    const { written, printer } = record();

    printer.update([view(aSuccess())], null, NOW_MS);
    printer.close();

    expect(written.at(-1)).toBe(
      '\n+ data1 moved to store-b@files#p1: 8.0 GiB in 26 s, digest abababababab at both ends.\n  The old copy is removed.\n',
    );
  });
});

describe('the plain printer', () => {
  it('writes one line a change, and progress every 5 s at the most', () => {
    const written: string[] = [];
    const printer = createPlainPrinter((text) => written.push(text));
    let before: MigrationView | undefined;
    const show = (migration: Migration, second: number): void => {
      before = look(before, migration, NOW_MS + second * 1000);
      printer.update([before], null, NOW_MS + second * 1000);
    };

    show(aMigration(), 0);
    for (let second = 1; second <= 11; second += 1) {
      show(aMigration({ progress: aProgress({ done_bytes: 4 * GIB + second, at: at(second) }) }), second);
    }
    show(aSuccess(), 12);
    printer.close();

    expect(written).toEqual([
      '02:10:00  data1  copying; 8.0 GiB from store-a@files#p1 to store-b@files#p1\n',
      '02:10:00  data1  copying 45 %, 3.6 GiB of 8.0 GiB, 312 MiB/s, ETA 14 s\n',
      '02:10:05  data1  copying 50 %, 4.0 GiB of 8.0 GiB, 312 MiB/s, ETA 14 s\n',
      '02:10:12  data1  succeeded\n',
      'done: data1 moved to store-b@files#p1: 8.0 GiB in 26 s, digest abababababab at both ends. The old copy is removed.\n',
    ]);
  });

  it('tells of a pause, a limit, and that it goes on', () => {
    const written: string[] = [];
    const printer = createPlainPrinter((text) => written.push(text));
    let before: MigrationView | undefined;
    const paused = { by: 'ann', at: at(0) };
    const still = aProgress({ activity: 'paused', rate_bytes_per_second: 0, eta_seconds: null });
    for (const [second, change] of [
      {},
      { paused },
      { paused, progress: still },
      { paused, progress: still, bandwidth_bytes_per_second: 200 * 1024 * 1024 },
      {},
    ].entries()) {
      before = look(before, aMigration(change), NOW_MS + second * 1000);
      printer.update([before], null, NOW_MS + second * 1000);
    }

    expect(written.map((text) => text.slice('02:10:00  data1  '.length).trimEnd())).toEqual([
      'copying; 8.0 GiB from store-a@files#p1 to store-b@files#p1',
      'copying 45 %, 3.6 GiB of 8.0 GiB, 312 MiB/s, ETA 14 s',
      'pausing, asked by ann',
      'paused, asked by ann',
      '200 MiB/s at the most',
      'resumed',
      'no limit of its own',
    ]);
  });

  it('is not silent while nothing moves', () => {
    const written: string[] = [];
    const printer = createPlainPrinter((text) => written.push(text));
    const still = view(aMigration());

    for (let second = 0; second <= 130; second += 1) {
      printer.update([{ ...still, news: [] }], null, NOW_MS + second * 1000);
    }

    expect(written).toHaveLength(3);
  });

  it('tells once that the service does not answer', () => {
    const written: string[] = [];
    const printer = createPlainPrinter((text) => written.push(text));

    printer.update([view(aMigration())], 'No answer.', NOW_MS);
    printer.update([view(aMigration())], 'No answer.', NOW_MS + 1_000);

    expect(written).toEqual(['02:10:00  -  No answer.\n']);
  });
});

describe('the verdict', () => {
  it('of a failure gives the reason, where the volume is safe, and what to do', () => {
    expect(verdictOf(aFailure()).sentences).toEqual([
      'The migration of data1 failed in 26 s: The connection between the agents broke: ECONNRESET',
      'The volume stayed safe at store-a@files#p1.',
      'Next: Check the network between the two hosts and that both agents run.',
      'Nothing is left over.',
    ]);
  });

  it('of a failure says what is kept for a retry, and never that nothing is left then', () => {
    const kept = { role: 'destination', object: 'volume-x', host: 'store-b@files#p1', until: at(3_600) } as const;

    expect(verdictOf(aFailure({ id: migrationId(1), kept: [kept] })).sentences.slice(-2)).toEqual([
      `What was copied is kept at store-b@files#p1 until ${utc(at(3_600))} UTC; go on with it: volmove retry ${migrationId(1)}`,
      'Nothing else is left over.',
    ]);
  });

  it('does not claim a verification that was not made', () => {
    expect(verdictOf(aSuccess({ digests: null })).sentences[0]).toContain('not verified by digest');
    expect(verdictOf(aSuccess({ verified: 'cached' })).sentences[0]).toContain('verified: cached');
    expect(verdictOf(aSuccess()).sentences[0]).not.toContain('cached');
  });

  it.each([
    [aSuccess(), 0],
    [aSuccess({ cleanup: needsYou }), 8],
    [aFailure(), 7],
    [aFailure({ cleanup: needsYou }), 8],
    [aMigration({ state: 'refused' }), 3],
  ])('has the exit code of its end', (migration, exitCode) => {
    expect(verdictOf(migration).exitCode).toBe(exitCode);
  });
});
