import process from 'node:process';
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

/** `npm run soak:copy [-- --kills 200 --seed S --json]`: a line for each blow, then "N kills, V violations"; status 1 on any. */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

const report = await soak({
  kills: Number(values.kills),
  seed: Number(values.seed),
  slowShare: 0.2,
  print: values.json ? () => undefined : tell,
});
if (values.json) tell(JSON.stringify(report));
else tell(`${report.kills} kills, ${report.violations.length} violations`);
process.exitCode = report.violations.length === 0 ? 0 : 1;
