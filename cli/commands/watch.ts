import { type AddCommand, examples, positive } from '../runtime/command.ts';
import { resolveWatched } from '../runtime/resolve.ts';
import { runWatch } from '../watch/run-watch.ts';

/** `volmove watch`: the progress of migrations until they end; the exit code says how they ended. */
export const addWatch: AddCommand = (program, { act }) => {
  program
    .command('watch')
    .summary('show the progress of migrations until they end')
    .description('Shows migrations until they have ended. Ctrl-C leaves them alone; the exit code says how they ended.')
    .argument('<MIGRATION...>', 'ids, or their first 8 or more characters; or the volumes that are moved')
    .option('--timeout <seconds>', 'give up waiting after this time; the migrations go on', positive)
    .addHelpText('before', examples('volmove watch data1', 'volmove watch 0197c2a4 0197c2b1 --json'))
    .action(
      act<{ timeout?: number }>(async (session, operands, { timeout }) => {
        const migrations = await Promise.all(operands.map((text) => resolveWatched(session.client, text)));
        const ids = [...new Set(migrations.map((migration) => migration.id))];
        const timeoutMs = timeout === undefined ? null : timeout * 1000;
        return (await runWatch(session, { ids, timeoutMs, as: 'data' })).exitCode;
      }),
    );
};
