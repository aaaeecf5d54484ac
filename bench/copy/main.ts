import process from 'node:process';
import { processFront, runProgram, say } from '../command-line.ts';
import { parseArguments, USAGE } from './arguments.ts';
import { bench } from './bench.ts';
import { CASES } from './cases.ts';
import { requireDirectories } from './directories.ts';
import { interruptible } from './interrupts.ts';
import { createScreen } from './screen.ts';

/** `npm run bench:copy`: the copy of a volume, ours and everybody else's, measured in turn on this machine. */

const names = CASES.map(({ name }) => name);
process.exitCode = await runProgram(
  processFront(),
  USAGE,
  (args) => parseArguments(args, names),
  async (options) => {
    if (options.list) {
      say(names.join('\n'));
      return 0;
    }
    requireDirectories(options);
    return interruptible((signal) => bench(options, createScreen(options.json), signal));
  },
);
