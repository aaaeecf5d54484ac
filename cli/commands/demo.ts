import { EXIT } from '../exit-codes.ts';
import { canRedraw } from '../output/paint.ts';
import { type AddCommand, examples } from '../runtime/command.ts';
import { listenForInterrupts } from '../runtime/interrupts.ts';
import { linePrinter } from '../runtime/line-printer.ts';

/** `volmove demo`: a whole migration on this machine, to see what it does before it is trusted with anything. */
export const addDemo: AddCommand = (program, { act }, deps) => {
  program
    .command('demo')
    .summary('show a migration on this machine')
    .description(
      'Starts a service and two hosts in a temporary directory, moves a volume there and back, and cleans up.',
    )
    .option('--keep', 'leave the service, the hosts and their data when it ends')
    .addHelpText('before', examples('volmove demo'))
    .action(
      act<{ keep?: boolean }>(async (session, _operands, { keep = false }) => {
        const interrupts = listenForInterrupts(deps);
        const isTty = canRedraw(deps.env, deps.stdout) && !session.json;
        try {
          await deps.programs.demo({ print: linePrinter(session), isTty, signal: interrupts.first, keep });
        } finally {
          interrupts.stop();
        }
        return interrupts.first.aborted ? EXIT.detached : EXIT.done;
      }),
    );
};
