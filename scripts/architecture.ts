import { spawnSync } from 'node:child_process';
import process from 'node:process';

/**
 * The layering of the project, by dependency-cruiser. It can cruise nothing and call that clean (its parser may be missing),
 * so the number of modules is asserted too.
 */
const FOLDERS = ['domain', 'store', 'aws', 'local', 'functions', 'host-agent', 'embedded', 'cli', 'infra'];
const AT_LEAST_MODULES = 150;

const result = spawnSync('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...FOLDERS], {
  encoding: 'utf8',
  maxBuffer: 256 * 1024 * 1024,
});
if (result.error) throw result.error;

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { rule: { name: string }; from: string; to: string }[];
  };
}
const { summary } = JSON.parse(result.stdout) as Cruise;
for (const violation of summary.violations)
  console.error(`${violation.rule.name}: ${violation.from} -> ${violation.to}`);
console.log(`${summary.totalCruised} modules cruised, ${summary.violations.length} violations`);
if (summary.totalCruised < AT_LEAST_MODULES)
  console.error(`fewer than ${AT_LEAST_MODULES} modules were cruised: is the parser there?`);
process.exitCode = summary.violations.length > 0 || summary.totalCruised < AT_LEAST_MODULES ? 1 : 0;
