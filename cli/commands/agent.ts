import { EXIT } from '../exit-codes.ts';
import { type AddCommand, examples } from '../runtime/command.ts';
import { listenForInterrupts } from '../runtime/interrupts.ts';
import { linePrinter } from '../runtime/line-printer.ts';

/** `volmove agent`: the daemon of a storage host. The first signal lets its jobs finish, the second ends them. */
export const addAgent: AddCommand = (program, { act }, deps) => {
  program
    .command('agent')
    .summary('run the agent of a storage host')
    .description(
      'Runs the agent of this storage host. On Ctrl-C or SIGTERM it takes no new work and ends when its jobs are done; at the second one it ends at once.',
    )
    .requiredOption('--config <file>', 'the host’s configuration')
    .addHelpText('before', examples('volmove agent --config /etc/volmove/agent.json'))
    .action(
      act<{ config: string }>(async (session, _operands, { config }) => {
        const interrupts = listenForInterrupts(deps);
        try {
          await deps.programs.agent({
            configPath: config,
            print: linePrinter(session),
            gracefulSignal: interrupts.first,
            forceSignal: interrupts.second,
          });
        } finally {
          interrupts.stop();
        }
        return EXIT.done;
      }),
    );
};
