import { describe, expect, it } from 'vitest';
import { type GuestOptions, guestProblem, testInGuest } from './guest.ts';

/**
 * A suite that runs on a guest's kernel, as tests of the host: one for each of the guest's, and one more that the run itself ended
 * well. Awaited while the tests are collected, because only the guest knows which there are.
 */
export interface GuestSuite extends GuestOptions {
  readonly name: string;
  readonly files: readonly string[];
  /** What the suite needs on this machine: the program, and the package that brings it. */
  readonly programs: readonly (readonly [string, string])[];
}

export const guestSuite = async ({ name, files, programs, ...options }: GuestSuite): Promise<void> => {
  const problem = guestProblem(programs);
  if (problem !== undefined) {
    // biome-ignore lint/suspicious/noConsole: a suite that is left out says so aloud
    console.warn(`${name} is SKIPPED: ${problem}`);
    describe.skipIf(true)(`${name} (skipped: ${problem})`, () => {
      it('runs in a guest', () => expect.unreachable());
    });
    return;
  }
  const { tests, end } = await testInGuest(files, options);
  describe(`${name}, in a guest`, () => {
    it('runs to its end', () => {
      expect(
        end.exitCode === 0 || tests.some(({ status }) => status === 'failed'),
        `${end.stdout}\n${end.stderr}`,
      ).toBe(true);
      expect(tests.length, end.stderr).toBeGreaterThan(0);
    });
    for (const { name: said, status, failure } of tests) {
      if (status === 'passed' || status === 'failed') it(said, () => expect(status, failure).toBe('passed'));
      else it.skipIf(true)(`${said} (${status} in the guest)`, () => expect.unreachable());
    }
  });
};
