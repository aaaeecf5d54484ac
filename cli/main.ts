import { runCli } from './run.ts';
import { processDeps } from './runtime/process-deps.ts';

/** The command's process: real streams, real clock, and the exit code. */
process.exit(await runCli(process.argv.slice(2), processDeps()));
