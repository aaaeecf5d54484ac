import { volumeLabel, volumePlace } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { resolveVolume } from '../runtime/resolve.ts';

/** `volmove detach`: the way back of attach; the volume is in use again when its connection cannot be ended. */
export const addDetach: AddCommand = (program, { act }) => {
  program
    .command('detach')
    .summary('detach a volume')
    .description('Detaches a volume from its host. Close what uses its device first.')
    .argument('<VOLUME>', 'name or id')
    .addHelpText('before', examples('volmove detach data1'))
    .action(
      act(async (session, operands) => {
        const { client } = session;
        const volume = await resolveVolume(client, operand(operands, 0));
        const attachment = volume.attachments[0];
        const host = attachment?.host_name ?? volumePlace(volume).split('@', 1)[0] ?? '';
        const attachmentId = attachment?.attachment_id ?? attachment?.id;
        await client.volumeAction(volume.id, 'os-begin_detaching');
        try {
          await client.volumeAction(volume.id, 'os-terminate_connection', { connector: { host } });
        } catch (error) {
          await client.volumeAction(volume.id, 'os-roll_detaching');
          throw error;
        }
        await client.volumeAction(
          volume.id,
          'os-detach',
          attachmentId === undefined ? {} : { attachment_id: attachmentId },
        );
        if (session.json) session.document({ volume: await client.volume(volume.id) });
        session.say(`${volumeLabel(volume)} is detached from ${host}.`);
        return EXIT.done;
      }),
    );
};
