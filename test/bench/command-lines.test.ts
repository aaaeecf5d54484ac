import { describe, expect, it } from 'vitest';
import { runProgram, UsageError } from '../../bench/command-line.ts';
import { USAGE as FLEET_USAGE, parseFleet } from '../../bench/fleet/arguments.ts';
import { USAGE as CHAOS_USAGE, parseChaos } from '../chaos/arguments.ts';
import { parseSim, USAGE as SIM_USAGE } from '../sim/arguments.ts';
import { SIMULATED, seenLines } from '../sim/words.ts';

const run = async (
  parse: (args: readonly string[]) => { readonly help: boolean },
  usage: string,
  args: readonly string[],
) => {
  const said: string[] = [];
  const front = {
    args,
    say: (text: string) => void said.push(`out: ${text}`),
    complain: (text: string) => void said.push(`err: ${text}`),
  };
  const status = await runProgram(front, usage, parse, async () => 7);
  return { said, status };
};

const PROGRAMS = [
  ['bench:fleet', parseFleet, FLEET_USAGE],
  ['sim', parseSim, SIM_USAGE],
  ['chaos', parseChaos, CHAOS_USAGE],
] as const;

describe.each(PROGRAMS)('the command line of %s', (name, parse, usage) => {
  it('explains itself', async () => {
    expect(await run(parse, usage, ['--help'])).toEqual({ said: [`out: ${usage}`], status: 0 });
    expect((await run(parse, usage, ['-h'])).status).toBe(0);
    expect(usage).toContain(`npm run ${name} -- `);
  });

  it('says in one sentence what it does not know', async () => {
    expect(await run(parse, usage, ['--nope'])).toEqual({ said: ["err: error: Unknown option '--nope'"], status: 2 });
    expect((await run(parse, usage, ['word'])).status).toBe(2);
  });

  it('begins with nothing said', async () => {
    expect(await run(parse, usage, [])).toEqual({ said: [], status: 7 });
  });
});

describe('numbers on the command line', () => {
  it.each([
    [parseFleet, ['--migrations', '0'], '--migrations takes a whole number from 1, not '],
    [parseFleet, ['--interval', 'x'], '--interval takes a whole number from 1, not '],
    [parseSim, ['--seeds', '1.5'], '--seeds takes a whole number from 1, not '],
    [parseSim, ['--jobs', ''], '--jobs takes a whole number from 1, not '],
    [parseChaos, ['--rounds', '-1'], 'Option '],
    [parseChaos, ['--rounds', '1e3'], '--rounds takes a whole number from 1, not '],
  ] as const)('%s %j are whole', (parse, args, message) => {
    expect(() => parse(args)).toThrow(UsageError);
    expect(() => parse(args)).toThrow(message);
  });

  it('are taken as they are said', () => {
    expect(parseFleet(['--migrations', '20', '--json'])).toMatchObject({ migrations: 20, json: true });
    expect(parseSim(['--seeds', '7', '--from', '3'])).toMatchObject({ seeds: 7, from: 3, seed: undefined });
    expect(parseSim(['--seed', '0'])).toMatchObject({ seed: 0 });
    expect(parseChaos(['--rounds', '2', '--seed', '5'])).toMatchObject({ rounds: 2, seed: 5 });
  });
});

describe('what a search says around its last line', () => {
  it('is what is simulated, in one line', () => {
    expect(SIMULATED).not.toContain('\n');
    expect(SIMULATED).toMatch(/^[A-Z].*\.$/u);
  });

  it('is what was seen, the most frequent first, and never more than a short table', () => {
    const saw = new Map([
      ['freeze', 2],
      ['success', 9],
      ['dies before', 2],
      ['dies before: agent', 1],
    ]);

    expect(seenLines(saw, 10)).toEqual([
      'seen in so many of 10 stories:',
      '     9  success',
      '     2  dies before',
      '     2  freeze',
    ]);
    const many = new Map(Array.from({ length: 100 }, (_, n) => [`thing ${n}`, n + 1]));
    expect(seenLines(many, 100)).toHaveLength(31);
    expect(seenLines(many, 100)[1]).toBe('   100  thing 99');
    expect(seenLines(new Map(), 3)).toEqual([]);
  });
});
