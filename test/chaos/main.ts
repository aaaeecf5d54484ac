import process from 'node:process';
import { processFront, runProgram, say } from '../../bench/command-line.ts';
import { type ChaosOptions, parseChaos, USAGE } from './arguments.ts';
import { chaos } from './chaos.ts';

/** `npm run chaos`: a line for each round, then "N rounds, V violations"; status 1 on any. */

const main = async ({ rounds, seed = Date.now() % 1_000_000, json }: ChaosOptions): Promise<number> => {
  const report = await chaos({ rounds, seed, print: json ? () => undefined : say });
  const longest = (of: 'terminalSeconds' | 'restSeconds'): string =>
    Math.max(0, ...report.rounds.map((round) => round[of])).toFixed(1);
  if (json) say(JSON.stringify(report));
  else {
    say(
      `longest after the last fault: ${longest('terminalSeconds')} s to the last end, ${longest('restSeconds')} s to rest`,
    );
    say(`${report.rounds.length} rounds, ${report.violations.length} violations`);
  }
  return report.violations.length === 0 ? 0 : 1;
};

process.exitCode = await runProgram(processFront(), USAGE, parseChaos, main);
