import { describe, expect, it } from 'vitest';
import type { Migration } from '../../domain/migration/migration.ts';
import {
  bandwidthOf,
  copiedWishes,
  endPause,
  mayPause,
  wishBandwidth,
  wishPause,
  wishResume,
} from '../../domain/migration/wishes.ts';
import { START_MS } from '../helpers/clock.ts';
import { aMigration, OPTIONS } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const MIB = 1024 * 1024;
const nowMs = START_MS + 1_000;
const running = (phase: 'preparing' | 'copying' | 'verifying' | 'moving' | 'finalizing' | 'rolling_back'): Migration =>
  aMigration({ stage: { state: 'running', phase, phaseSinceMs: START_MS } });
const copying = running('copying');
const reason = { code: 'IoError', message: 'm', remedy: 'r' } as const;

describe('a pause', () => {
  it('is written down with who wished it, also in the story, and wished again changes nothing', () => {
    const paused = written(wishPause('ann', nowMs)(copying));

    expect(paused.wishes.pause).toEqual({ by: 'ann', atMs: nowMs });
    expect(paused.story.at(-1)).toEqual({
      atMs: nowMs,
      run: 1,
      who: 'ann',
      from: 'copying',
      to: 'copying',
      why: 'paused',
    });
    expect(copiedWishes(paused).paused).toBe(true);
    expect(wishPause('bob', nowMs + 1)(paused).kind).toBe('already');
  });

  it('is over when somebody resumes it; nothing is resumed that is not paused', () => {
    const paused = written(wishPause('ann', nowMs)(copying));
    const resumed = written(wishResume('bob', nowMs + 1)(paused));

    expect(resumed.wishes.pause).toBeNull();
    expect(resumed.story.at(-1)).toMatchObject({ who: 'bob', why: 'resumed' });
    expect(wishResume('bob', nowMs)(resumed).kind).toBe('already');
  });

  it('ends by itself after its longest time, and not before', () => {
    const paused = written(wishPause('ann', nowMs)(copying));

    const early = endPause(60_000, nowMs + 59_999)(paused);
    const late = written(endPause(60_000, nowMs + 60_000)(paused));

    expect(early.kind).toBe('already');
    expect(late.wishes.pause).toBeNull();
    expect(late.story.at(-1)).toMatchObject({ who: 'sweeper', why: 'resumed: a pause ends after 60 s' });
  });

  it.each(['preparing', 'copying', 'verifying'] as const)('may be wished while it is %s', (phase) => {
    expect(mayPause(running(phase))).toBe(true);
    expect(written(wishPause('ann', nowMs)(running(phase))).wishes.pause).not.toBeNull();
  });

  it('may be wished of a copy by dd', () => {
    const byDd = { ...copying, options: { ...OPTIONS, copyEngine: 'dd' as const } };

    expect(written(wishPause('ann', nowMs)(byDd)).wishes.pause).not.toBeNull();
  });
});

describe('a limit', () => {
  it('takes the place of the one that was asked for at first, and may be lifted', () => {
    const asked = { ...copying, options: { ...OPTIONS, bandwidthBytesPerSecond: 5 } };
    const faster = written(wishBandwidth(200 * MIB, 'ann', nowMs)(asked));
    const free = written(wishBandwidth(null, 'bob', nowMs + 1)(faster));

    expect([asked, faster, free].map(bandwidthOf)).toEqual([5, 200 * MIB, null]);
    expect([faster, free].map((one) => one.story.at(-1))).toMatchObject([
      { who: 'ann', why: 'limited to 200 MiB/s' },
      { who: 'bob', why: 'limit lifted' },
    ]);
  });

  it('that is in force already changes nothing', () => {
    const limited = written(wishBandwidth(7, 'ann', nowMs)(copying));

    expect(wishBandwidth(7, 'bob', nowMs)(limited).kind).toBe('already');
    expect(wishBandwidth(null, 'bob', nowMs)(copying).kind).toBe('already');
  });

  it('is refused where dd copies', () => {
    const byDd = { ...copying, options: { ...OPTIONS, copyEngine: 'dd' as const } };

    expect(refusedBy(wishBandwidth(7, 'ann', nowMs)(byDd)).message).toBe(
      `Migration ${copying.id} cannot be limited: dd copies it, which knows no limit.`,
    );
  });

  it('changed all day long leaves the story bounded, its phases whole', () => {
    let migration = copying;
    for (let n = 1; n <= 500; n++) migration = written(wishBandwidth(n, 'script', nowMs + n)(migration));

    const wishes = migration.story.filter((entry) => entry.who === 'script');
    expect(wishes).toHaveLength(100);
    expect(wishes.at(-1)?.atMs).toBe(nowMs + 500);
    expect(migration.story[0]).toEqual(copying.story[0]);
  });
});

describe('any such wish', () => {
  const rules = [wishPause('ann', nowMs), wishResume('ann', nowMs), wishBandwidth(7, 'ann', nowMs)];

  it.each<[string, Migration, string]>([
    ['has succeeded', aMigration({ stage: { state: 'succeeded', endedAtMs: 1 } }), 'it has succeeded'],
    ['has failed', aMigration({ stage: { state: 'failed', endedAtMs: 1, reason } }), 'it has failed'],
    ['was refused', aMigration({ stage: { state: 'refused', endedAtMs: 1, reason } }), 'it was refused'],
    ['is moved by its backend', running('moving'), 'its backend moves it'],
    ['is finalizing', running('finalizing'), 'it is being switched over'],
    ['is rolling back', running('rolling_back'), 'it is being rolled back'],
  ])('of a migration that %s is refused with the reason', (_what, migration, why) => {
    for (const rule of rules) {
      const refused = refusedBy(rule(migration));
      expect(refused.code).toBe('CannotAdjust');
      expect(refused.message).toContain(why);
    }
    expect(mayPause(migration)).toBe(false);
  });
});
