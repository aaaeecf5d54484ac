import process from 'node:process';
import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';

/** `npm run chaos [-- --rounds 100 --seed S --json]`: a line for each round, then "N rounds, V violations"; status 1 on any. */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

const report = await chaos({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  print: values.json ? () => undefined : tell,
});
const longest = (of: 'terminalSeconds' | 'restSeconds'): string =>
  Math.max(0, ...report.rounds.map((round) => round[of])).toFixed(1);
if (values.json) tell(JSON.stringify(report));
else {
  tell(
    `longest after the last fault: ${longest('terminalSeconds')} s to the last end, ${longest('restSeconds')} s to rest`,
  );
  tell(`${report.rounds.length} rounds, ${report.violations.length} violations`);
}
process.exitCode = report.violations.length === 0 ? 0 : 1;
