import { describe, expect, it } from 'vitest';
import { UsageError } from '../../bench/command-line.ts';
import { parseArguments } from '../../bench/copy/arguments.ts';

const KNOWN = ['dense-disk-copy', 'dense-tls-copy'];

const refusalOf = (...args: string[]): string => {
  try {
    parseArguments(args, KNOWN);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'nothing is wrong with it';
};

describe('the command line of the copy bench', () => {
  it('means all cases, seven rounds and their own sizes when nothing is said', () => {
    const options = parseArguments([], KNOWN);

    expect(options).toEqual({
      json: false,
      list: false,
      help: false,
      cases: undefined,
      rounds: 7,
      sizeMib: undefined,
      dir: undefined,
      svg: undefined,
    });
  });

  it('takes many cases and every option', () => {
    const args = '--json --case dense-tls-copy --case dense-disk-copy --rounds 3 --size-mib 64 --dir /d --svg x.svg';

    const options = parseArguments(args.split(' '), KNOWN);

    expect(options).toEqual({
      json: true,
      list: false,
      help: false,
      cases: ['dense-tls-copy', 'dense-disk-copy'],
      rounds: 3,
      sizeMib: 64,
      dir: '/d',
      svg: 'x.svg',
    });
  });

  it.each([
    [['--case', 'nope'], "there is no case 'nope'; there are: dense-disk-copy, dense-tls-copy"],
    [['--rounds', '0'], "--rounds takes a whole number from 1 to 1000, not '0'"],
    [['--rounds', '1.5'], "--rounds takes a whole number from 1 to 1000, not '1.5'"],
    [['--size-mib', 'many'], "--size-mib takes a whole number from 1 to 1048576, not 'many'"],
    [['--size-mib', ''], "--size-mib takes a whole number from 1 to 1048576, not ''"],
    [['--bogus'], "Unknown option '--bogus'"],
    [['stray'], "Unexpected argument 'stray'"],
    [['--dir'], "Option '--dir <value>' argument missing"],
  ])('refuses %j with the reason', (args, reason) => {
    expect(refusalOf(...args)).toBe(reason);
  });
});
