import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { tell } from '../helpers/sim/tell.ts';
import { search } from '../sim/search.ts';

/**
 * Random stories over the real rules, use cases, state machine files and agents' jobs, in as many threads as there are cores.
 * `npm run sim -- --seed X` tells one of them alone, with its whole schedule; `npm run soak` tells ten thousand.
 */
const STORIES = Number(process.env.STORIES ?? 1_000);
const FIRST_SEED = 1;
const TIMEOUT_MS = 15 * 60_000;

const REQUESTS = [
  'migrate',
  'migrate while another is under way',
  'migrate, to be repeated',
  'migrate the neighbour',
  'guest',
  'cancel',
  'hold',
  'resume',
  'retry',
  'restore',
  'restore that discards changes',
  'reset',
  'delete',
  'delete while it is moved',
];
const ACCIDENTS = [
  'crash',
  'pause',
  'lost host',
  'host lost',
  'wakes up after it was lost',
  'freeze',
  'late',
  'arrives after its sender has died',
  'create after its removal',
  'a backend moves it',
  'a backend goes back',
  'a backend switches over',
  'bit flip',
  'object busy',
  'pool too small',
  'clocks differ',
  'indexes lag',
  'message lost',
  'message repeated',
  'status event lost',
  'status event repeated',
  'abort',
  'States.Runtime',
  'redeploy',
  'time-out',
];
/** An answer that is lost, an error of something that took effect or did not, and a death, of every party. */
const FAULTS = [
  ...['api', 'lambda', 'upkeep', 'agent', 'guest'].flatMap((who) => [`answer lost: ${who}`, `dies before: ${who}`]),
  ...['api', 'lambda', 'upkeep', 'agent'].flatMap((who) => [`error before: ${who}`, `error after: ${who}`]),
];

describe('whatever comes in whatever order', () => {
  it(
    'loses no guest’s write, ends every run one way, tells it once, and leaves nothing undone or behind',
    async () => {
      const found = await search({ from: FIRST_SEED, seeds: STORIES, jobs: availableParallelism() });

      const complaints = found.violations.map(({ seed, broken, lastSteps }) =>
        [`seed ${seed}: ${broken}`, `npm run sim -- --seed ${seed} tells it alone`, ...lastSteps].join('\n'),
      );
      expect(complaints).toEqual([]);
      expect(found.seeds).toBe(STORIES);
      const expected = ['success', 'error', ...REQUESTS, ...ACCIDENTS, ...FAULTS];
      expect(expected.filter((what) => !found.saw.has(what))).toEqual([]);
      expect(found.saw.get('success')).toBeGreaterThan(STORIES / 5);
    },
    TIMEOUT_MS,
  );

  it('tells the same story for the same seed', async () => {
    const first = await tell(4);
    const second = await tell(4);

    expect(second.trace).toEqual(first.trace);
    expect(first.trace.length).toBeGreaterThan(100);
  });
});
