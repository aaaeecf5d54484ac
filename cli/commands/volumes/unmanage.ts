import { volumeLabel, volumePlace } from '../../api/types.ts';
import { EXIT } from '../../exit-codes.ts';
import { type AddCommand, examples, operand } from '../../runtime/command.ts';
import { resolveVolume } from '../../runtime/resolve.ts';

/** `volmove volumes unmanage`: the volume is forgotten, its data stays. */

export const addUnmanage: AddCommand = (volumes, { act }) => {
  volumes
    .command('unmanage')
    .summary('forget a volume and leave its data where it is')
    .description(
      'Forgets a volume and leaves what it lives on where it is, with its data. One that is attached, being migrated, or of which something else is kept, is refused.',
    )
    .argument('<VOLUME>', 'name or id')
    .addHelpText('before', examples('volmove volumes unmanage data7'))
    .action(
      act(async (session, operands) => {
        const volume = await resolveVolume(session.client, operand(operands, 0));
        await session.client.volumeAction(volume.id, 'os-unmanage');
        if (session.json) session.document({ volume: { id: volume.id, status: 'unmanaged' } });
        session.say(`${volumeLabel(volume)} is forgotten; its data stays at ${volumePlace(volume)}.`);
        return EXIT.done;
      }),
    );
};
