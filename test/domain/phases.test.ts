import { describe, expect, it } from 'vitest';
import { PHASES, type Phase } from '../../domain/migration/migration.ts';
import { NEXT_PHASES, PHASE_RANK } from '../../domain/migration/phases.ts';
import { enterPhase } from '../../domain/migration/run.ts';
import { START_MS } from '../helpers/clock.ts';
import { aMigration } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

/** The table, said once more in the words of the design: whoever changes one has to change the other. */
const ALLOWED: readonly `${Phase} > ${Phase}`[] = [
  'validating > locking',
  'validating > rolling_back',
  'locking > preparing',
  'locking > moving',
  'locking > rolling_back',
  'preparing > copying',
  'preparing > rolling_back',
  'copying > verifying',
  'copying > finalizing',
  'copying > rolling_back',
  'moving > preparing',
  'moving > switching',
  'moving > rolling_back',
  'switching > finalizing',
  'verifying > finalizing',
  'verifying > repairing',
  'verifying > rolling_back',
  'repairing > reverifying',
  'repairing > rolling_back',
  'reverifying > finalizing',
  'reverifying > rolling_back',
  'finalizing > rolling_back',
];

const PAIRS = PHASES.flatMap((from) => PHASES.map((to) => ({ from, to })));
const inPhase = (phase: Phase) => aMigration({ stage: { state: 'running', phase, phaseSinceMs: START_MS } });
const enter = (phase: Phase, run = 1) => enterPhase({ run, phase, who: 'execution', nowMs: START_MS + 5 });

describe('transitions between the phases of a run', () => {
  it.each(PAIRS)('from $from to $to', ({ from, to }) => {
    const decision = enter(to)(inPhase(from));

    if (from === to) {
      expect(decision.kind).toBe('already');
    } else if (ALLOWED.includes(`${from} > ${to}`)) {
      expect(written(decision).stage).toEqual({ state: 'running', phase: to, phaseSinceMs: START_MS + 5 });
    } else {
      expect(refusedBy(decision).code).toBe('ClaimLost');
    }
  });

  it.each(PAIRS)('a newer run enters $to whatever the older one was in ($from)', ({ from, to }) => {
    const next = written(enter(to, 2)(inPhase(from)));

    expect(next).toMatchObject({ run: 2, stage: { phase: to } });
  });

  it.each(PAIRS)('an older run enters nothing any more ($from to $to)', ({ from, to }) => {
    const error = refusedBy(enter(to)({ ...inPhase(from), run: 2 }));

    expect(error.code).toBe('Superseded');
  });

  it.each(PHASES)('a migration that was only requested may enter %s', (phase) => {
    expect(written(enter(phase)(aMigration())).stage).toMatchObject({ state: 'running', phase });
  });

  it.each(PHASES)('nothing enters %s once the migration has ended, however it ended', (phase) => {
    const reason = { code: 'NoSpace', message: 'full', remedy: 'Free space.' } as const;
    const ends = [
      { state: 'succeeded', endedAtMs: START_MS },
      { state: 'failed', endedAtMs: START_MS, reason },
      { state: 'refused', endedAtMs: START_MS, reason },
    ] as const;

    const codes = ends.map((stage) => refusedBy(enter(phase)(aMigration({ stage }))).code);

    expect(codes).toEqual(['ClaimLost', 'ClaimLost', 'ClaimLost']);
  });

  it('every phase can be rolled back but the one in which a backend switches over, and a rollback leads nowhere else', () => {
    const without = PHASES.filter((phase) => phase !== 'rolling_back' && !NEXT_PHASES[phase].includes('rolling_back'));

    expect(without).toEqual(['switching']);
    expect(NEXT_PHASES.rolling_back).toEqual([]);
  });

  it('runs that get no further than those before them are told once, and the last of them', () => {
    let migration = inPhase('rolling_back');
    for (const run of [2, 3, 4, 5, 6]) migration = written(enter('rolling_back', run)(migration));

    const told = migration.story.filter(({ to }) => to === 'rolling_back').map(({ run }) => run);
    expect(told).toEqual([2, 6]);
    expect(migration.run).toBe(6);
  });

  it('ranks rise with the story, so that event sequences do', () => {
    const falling = PHASES.flatMap((from) =>
      NEXT_PHASES[from].filter((to) => PHASE_RANK[to] <= PHASE_RANK[from]).map((to) => `${from} > ${to}`),
    );

    expect(falling).toEqual([]);
    expect(PHASE_RANK.started).toBeLessThan(PHASE_RANK.validating);
    expect(PHASE_RANK.ended).toBeGreaterThan(PHASE_RANK.rolling_back);
    expect(PHASE_RANK.cleanup_done).toBeGreaterThan(PHASE_RANK.cleanup_needs_you);
  });
});

describe('entering a phase', () => {
  const job = { hostId: 'host-b', jobId: 'j', kind: 'destination.prepare', run: 1 } as const;
  const object = { run: 1, objectName: 'o', placement: { hostId: 'host-b', backend: 'files', pool: 'ssd' } };
  const command = { run: 1, phase: 'preparing', who: 'execution', nowMs: START_MS + 5, job, object } as const;

  it('writes the job, the object and the reservation with the transition, and tells the story once', () => {
    const reservation = { poolId: 'p', bytes: 1 };

    const next = written(enterPhase({ ...command, reservation, why: 'go' })(inPhase('locking')));

    expect(next).toMatchObject({ jobs: [job], objects: [object], reservation });
    expect(next.story.at(-1)).toEqual({
      atMs: START_MS + 5,
      run: 1,
      who: 'execution',
      from: 'locking',
      to: 'preparing',
      why: 'go',
    });
    expect(next.story).toHaveLength(2);
  });

  it('done again adds nothing: no second job, no second object, no second line in the story', () => {
    const once = written(enterPhase({ ...command, reservation: { poolId: 'p', bytes: 1 } })(inPhase('locking')));

    const again = enterPhase({ ...command, reservation: { poolId: 'p', bytes: 1 }, nowMs: START_MS + 9 })(once);

    expect(again).toEqual({ kind: 'already', current: once });
  });

  it('of a newer run keeps what the older runs were about to make', () => {
    const first = written(enterPhase(command)(inPhase('locking')));
    const second = { ...object, run: 2, objectName: 'o2' };

    const next = written(enterPhase({ ...command, run: 2, object: second })(first));

    expect(next.objects).toEqual([object, second]);
    expect(next.story.at(-1)).toMatchObject({ run: 2, from: 'preparing', to: 'preparing' });
  });
});
