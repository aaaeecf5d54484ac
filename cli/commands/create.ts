import { MAX_SIZE_GIB } from '../../domain/volume/volume.ts';
import { volumeLabel, volumePlace } from '../api/types.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { unbroken } from '../output/line.ts';
import { type AddCommand, examples, operand, positive } from '../runtime/command.ts';
import { waitForVolume } from '../runtime/wait-volume.ts';

/** `volmove create`: a new volume; prints its id. */

interface CreateOptions {
  readonly name?: string;
  readonly pool?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
}

const parseSize = (text: string): number => {
  const size = Number(text);
  if (!Number.isSafeInteger(size) || size < 1) {
    throw usageError(`The size "${text}" is not a whole number of GiB, 1 or more.`, 'For example: volmove create 10');
  }
  if (size > MAX_SIZE_GIB) {
    throw usageError(
      `${text} GiB is larger than the largest volume, which has ${MAX_SIZE_GIB} GiB.`,
      `Ask for ${MAX_SIZE_GIB} at the most. The size is in GiB: volmove create 10 makes a volume of 10 GiB.`,
    );
  }
  return size;
};

const creationFailed = (id: string, status: string): CliError =>
  new CliError({
    exitCode: EXIT.failed,
    code: 'CreateFailed',
    message: `The volume could not be made; its status is ${status}.`,
    remedy: `See which hosts are up (volmove hosts), look at its host’s log, then delete it: volmove delete ${id}`,
  });

export const addCreate: AddCommand = (program, { act }) => {
  program
    .command('create')
    .summary('make a volume')
    .description('Makes a volume of SIZE_GIB GiB and prints its id.')
    .argument('<SIZE_GIB>', 'size in GiB')
    .option('--name <name>', 'name of the volume')
    .option('--pool <place>', 'HOST@BACKEND#POOL to make it in; the one with the most free space otherwise')
    .option('--wait', 'wait until it can be used')
    .option('--timeout <seconds>', 'give up waiting after this time; the work goes on', positive)
    .addHelpText(
      'before',
      examples('volmove create 10 --name data1 --wait', 'volmove create 1 --pool store-a@files#p1'),
    )
    .action(
      act<CreateOptions>(async (session, operands, { name, pool, wait = false, timeout }) => {
        const size = parseSize(operand(operands, 0));
        let volume = await session.client.createVolume(size, name, pool);
        if (wait) {
          const timeoutMs = timeout === undefined ? null : timeout * 1000;
          const reached = await waitForVolume(session, {
            id: volume.id,
            what: 'made',
            timeoutMs,
            reached: (seen) => seen?.status !== 'creating',
          });
          if (reached?.status !== 'available') throw creationFailed(volume.id, reached?.status ?? 'gone');
          volume = reached;
        }
        if (session.json) session.document({ volume });
        else {
          const where = wait
            ? `${volumeLabel(volume)} is ready at ${volumePlace(volume)}.`
            : `${volumeLabel(volume)} is being made. See it: ${unbroken(`volmove show ${volume.id}`)}`;
          session.say(where);
          session.data(`${volume.id}\n`);
        }
        return EXIT.done;
      }),
    );
};
