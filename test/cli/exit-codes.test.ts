import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT, EXIT_MEANINGS, type ExitCode, mostUrgent } from '../../cli/exit-codes.ts';
import { createWorld, type World } from './world.ts';

describe('exit codes', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  it.each<[number, ExitCode]>([
    [400, EXIT.blocked],
    [401, EXIT.auth],
    [403, EXIT.auth],
    [404, EXIT.notFound],
    [405, EXIT.unexpected],
    [409, EXIT.conflict],
    [413, EXIT.blocked],
    [422, EXIT.conflict],
    [500, EXIT.unexpected],
    [503, EXIT.unexpected],
  ])('an answer %i ends with %i and its message', async (status, exitCode) => {
    world.service.intercept = () => ({ status, body: { someFault: { code: status, message: 'the reason' } } });

    const result = await world.run(['volumes']);

    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain('error: the reason');
    expect(result.stdout).toBe('');
  });

  it('every code has a meaning, and --help tells all of them', async () => {
    const help = await world.run(['--help']);

    const told = Object.values(EXIT).every((code) => help.stdout.includes(`${code}  ${EXIT_MEANINGS[code]}`));
    expect(told).toBe(true);
    expect(help.exitCode).toBe(EXIT.done);
  });

  it('of several outcomes the one that wants a person most is told', () => {
    expect(mostUrgent([EXIT.done, EXIT.failed, EXIT.needsYou])).toBe(EXIT.needsYou);
    expect(mostUrgent([EXIT.done, EXIT.blocked, EXIT.failed])).toBe(EXIT.failed);
    expect(mostUrgent([EXIT.done, EXIT.done])).toBe(EXIT.done);
    expect(mostUrgent([])).toBe(EXIT.done);
  });
});
