import process from 'node:process';
import { parseArguments, USAGE, UsageError } from './arguments.ts';
import { bench } from './bench.ts';
import { CASES } from './cases.ts';
import { requireDirectories } from './directories.ts';
import { interruptible } from './interrupts.ts';
import { createScreen } from './screen.ts';

/** `npm run bench:copy`: the copy of a volume, ours and everybody else's, measured in turn on this machine. */
const main = async (): Promise<number> => {
  try {
    const names = CASES.map(({ name }) => name);
    const options = parseArguments(process.argv.slice(2), names);
    if (options.help || options.list) {
      console.log(options.help ? USAGE : names.join('\n'));
      return 0;
    }
    requireDirectories(options);
    return await interruptible((signal) => bench(options, createScreen(options.json), signal));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message}`);
    return 2;
  }
};

process.exitCode = await main();
