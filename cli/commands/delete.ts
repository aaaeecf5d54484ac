import { volumeLabel } from '../api/types.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, examples, operand, positive } from '../runtime/command.ts';
import { resolveVolume } from '../runtime/resolve.ts';
import { waitForVolume } from '../runtime/wait-volume.ts';

/** `volmove delete`: a volume and its data, for ever. */

const deletionFailed = (id: string, status: string): CliError =>
  new CliError({
    exitCode: EXIT.needsYou,
    code: 'DeleteFailed',
    message: `The volume could not be deleted; its status is ${status}.`,
    remedy: `Look at it and at its host’s log, then try again: volmove delete ${id}`,
  });

export const addDelete: AddCommand = (program, { act }) => {
  program
    .command('delete')
    .summary('delete a volume and its data')
    .description('Deletes a volume and its data. A volume that is attached or being migrated is refused.')
    .argument('<VOLUME>', 'name or id')
    .option('--wait', 'wait until it is gone')
    .option('--timeout <seconds>', 'give up waiting after this time; the work goes on', positive)
    .addHelpText('before', examples('volmove delete data1 --wait'))
    .action(
      act<{ wait?: boolean; timeout?: number }>(async (session, operands, { wait = false, timeout }) => {
        const volume = await resolveVolume(session.client, operand(operands, 0));
        await session.client.deleteVolume(volume.id);
        if (wait) {
          const left = await waitForVolume(session, {
            id: volume.id,
            what: 'deleted',
            timeoutMs: timeout === undefined ? null : timeout * 1000,
            reached: (seen) => seen === undefined || seen.status.startsWith('error'),
          });
          if (left !== undefined) throw deletionFailed(volume.id, left.status);
        }
        if (session.json) session.document({ volume: { id: volume.id, status: wait ? 'deleted' : 'deleting' } });
        session.say(`${volumeLabel(volume)} is ${wait ? 'deleted' : 'being deleted'}.`);
        return EXIT.done;
      }),
    );
};
