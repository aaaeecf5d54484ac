import { volumeLabel, volumePlace } from '../../api/types.ts';
import { CliError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { unbroken } from '../../output/line.ts';
import { type AddCommand, examples, operand, positive } from '../../runtime/command.ts';
import { waitForVolume } from '../../runtime/wait-volume.ts';

/** `volmove volumes manage`: what others have made becomes a volume where it is; prints its id. */

interface ManageOptions {
  readonly name?: string;
  readonly description?: string;
  readonly byId?: boolean;
  readonly wait?: boolean;
  readonly timeout?: number;
}

const notTakenOver = (id: string, why: string | undefined): CliError =>
  new CliError({
    exitCode: EXIT.failed,
    code: 'ManageFailed',
    message: `It was not taken over, and is as it was. ${why ?? 'The service does not say why.'}`,
    remedy: `Forget the volume that was to have it: volmove volumes unmanage ${id}`,
  });

export const addManage: AddCommand = (volumes, { act }) => {
  volumes
    .command('manage')
    .summary('take over what lies in a pool as a volume')
    .description(
      'Takes over what others have made in a pool as a volume, and prints the volume’s id. It stays where it is and keeps its name; from then on it is moved and deleted like any other volume.',
    )
    .argument('<HOST@BACKEND#POOL>', 'where it lies')
    .argument('<NAME>', 'its name there, as volmove volumes manageable lists it')
    .option('--name <name>', 'name of the volume')
    .option('--description <text>', 'description of the volume')
    .option('--by-id', 'NAME is the backend’s own id instead')
    .option('--wait', 'wait until it can be used')
    .option('--timeout <seconds>', 'give up waiting after this time; the work goes on', positive)
    .addHelpText('before', examples('volmove volumes manage store-a@files#p1 disk7 --name data7 --wait'))
    .action(
      act<ManageOptions>(async (session, operands, { name, description, byId, wait = false, timeout }) => {
        const [host, object] = [operand(operands, 0), operand(operands, 1)];
        let volume = await session.client.manageVolume({
          host,
          ref: byId ? { 'source-id': object } : { 'source-name': object },
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description }),
        });
        const { id } = volume;
        if (wait) {
          const timeoutMs = timeout === undefined ? null : timeout * 1000;
          const reached = await waitForVolume(session, {
            id,
            what: 'taken over',
            timeoutMs,
            reached: (seen) => seen?.status !== 'creating',
          });
          if (reached?.status !== 'available') throw notTakenOver(id, await session.client.whyInError(id));
          volume = reached;
        }
        if (session.json) session.document({ volume });
        else {
          const said = wait
            ? `${volumeLabel(volume)} is ready at ${volumePlace(volume)}.`
            : `${volumeLabel(volume)} is being taken over. See it: ${unbroken(`volmove show ${id}`)}`;
          session.say(said);
          session.data(`${id}\n`);
        }
        return EXIT.done;
      }),
    );
};
