import { type Volume, volumeLabel, volumePlace } from '../api/types.ts';
import type { Client } from '../client.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { unbroken } from '../output/line.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { resolveVolume } from '../runtime/resolve.ts';
import type { Session } from '../runtime/session.ts';

/** `volmove attach`: reserve, connect, attach, as a compute service does; each step is undone when a later one fails. */

interface Connected {
  readonly devicePath: string;
  readonly host: string;
}

const noPath = (): CliError =>
  new CliError({
    exitCode: EXIT.unexpected,
    code: 'NoDevicePath',
    message: 'The service connected the volume but gave no device path.',
    remedy: 'This backend’s volumes are attached by a compute service, not by hand.',
  });

const devicePathIn = (answer: unknown): string => {
  const info = (answer as { connection_info?: { data?: { device_path?: unknown } } } | undefined)?.connection_info;
  const path = info?.data?.device_path;
  if (typeof path !== 'string' || path === '') throw noPath();
  return path;
};

type Undo = readonly [action: string, argument: unknown];

/** Undoes in the order given. A failure here is told with the first one: neither may hide the other. */
const undo = async (client: Client, id: string, steps: readonly Undo[], failure: unknown): Promise<never> => {
  try {
    for (const [action, argument] of steps) await client.volumeAction(id, action, argument);
  } catch (error) {
    throw new CliError(
      {
        exitCode: EXIT.needsYou,
        code: 'AttachHalfDone',
        message: `Attaching failed (${failure instanceof Error ? failure.message : String(failure)}), and so did undoing it (${error instanceof Error ? error.message : String(error)}).`,
        remedy: `See its status: volmove show ${id}`,
      },
      { cause: error },
    );
  }
  throw failure;
};

const connect = async (client: Client, id: string, host: string): Promise<Connected> => {
  const connector = { connector: { host } };
  await client.volumeAction(id, 'os-reserve');
  const undoing: Undo[] = [['os-unreserve', null]];
  try {
    const answer = await client.volumeAction(id, 'os-initialize_connection', connector);
    undoing.unshift(['os-terminate_connection', connector]);
    const devicePath = devicePathIn(answer);
    await client.volumeAction(id, 'os-attach', { mountpoint: devicePath, host_name: host, mode: 'rw' });
    return { devicePath, host };
  } catch (error) {
    return undo(client, id, undoing, error);
  }
};

const warnOfMigration = (session: Session, volume: Volume): void => {
  const isMoved = volume.migration_status === 'starting' || volume.migration_status === 'migrating';
  if (isMoved && volume.status !== 'maintenance') {
    session.say(
      `${volumeLabel(volume)} is being migrated: attaching it ends that migration, and it stays where it is.`,
    );
  }
};

export const addAttach: AddCommand = (program, { act }) => {
  program
    .command('attach')
    .summary('attach a volume and print its device path')
    .description(
      'Attaches a volume to a host and prints the path of its device there. An unlocked migration of it ends, and the volume stays where it is.',
    )
    .argument('<VOLUME>', 'name or id')
    .option('--host <host>', 'host that uses it (the one it lives on)')
    .addHelpText('before', examples('volmove attach data1', 'mkfs.ext4 "$(volmove attach data1)"'))
    .action(
      act<{ host?: string }>(async (session, operands, options) => {
        const volume = await resolveVolume(session.client, operand(operands, 0));
        warnOfMigration(session, volume);
        const host = options.host ?? volumePlace(volume).split('@', 1)[0] ?? '';
        const { devicePath } = await connect(session.client, volume.id, host);
        if (session.json) session.document({ attachment: { volume_id: volume.id, host, device_path: devicePath } });
        else session.data(`${devicePath}\n`);
        session.say(
          `${volumeLabel(volume)} is attached to ${host}. Detach it: ${unbroken(`volmove detach ${volumeLabel(volume)}`)}`,
        );
        return EXIT.done;
      }),
    );
};
