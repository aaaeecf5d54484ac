import { type Volume, volumePlace } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { span } from '../output/line.ts';
import { migrationStatus, volumeStatus } from '../output/status.ts';
import { type Column, renderTable } from '../output/table.ts';
import { type AddCommand, examples } from '../runtime/command.ts';
import { addManage } from './volumes/manage.ts';
import { addManageable } from './volumes/manageable.ts';
import { addUnmanage } from './volumes/unmanage.ts';

/** `volmove volumes`: what there is and where it lives. */

const attachedTo = (volume: Volume): string =>
  volume.attachments.map((one) => one.host_name ?? one.server_id ?? 'unknown').join(', ') || '-';

const isMigrating = ({ migration_status: status }: Volume): boolean =>
  status != null && ['starting', 'migrating', 'completing'].includes(status);

/** Where there is no room for all, what says something of some volume stays. */
const columnsOf = (volumes: readonly Volume[]): readonly Column<Volume>[] => [
  { title: 'VOLUME', cell: (volume) => span(volume.id), cut: 'prefix', min: 13 },
  { title: 'NAME', cell: (volume) => span(volume.name || '-'), cut: 'end', min: 8 },
  { title: 'SIZE', cell: (volume) => span(`${volume.size} GiB`), align: 'right' },
  { title: 'STATUS', cell: volumeStatus },
  { title: 'PLACE', cell: (volume) => span(volumePlace(volume)), cut: 'middle', min: 12 },
  { title: 'MIGRATION', cell: migrationStatus, cut: volumes.some(isMigrating) ? 'never' : 'drop' },
  {
    title: 'ATTACHED TO',
    cell: (volume) => span(attachedTo(volume)),
    cut: volumes.some(({ attachments }) => attachments.length > 0) ? 'end' : 'drop',
    min: 8,
  },
];

export const addVolumes: AddCommand = (program, runner, deps) => {
  const { act } = runner;
  const volumes = program
    .command('volumes')
    .summary('list the volumes and where they live; take over and give up others')
    .description('Lists the volumes: status, place, and the state or result of the last migration.')
    .addHelpText(
      'before',
      examples(
        'volmove volumes',
        'volmove volumes --json | jq -r .volumes[].id',
        'volmove volumes manageable store-a@files#p1',
      ),
    )
    .action(
      act(async (session) => {
        const volumes = await session.client.volumes();
        if (session.json) session.document({ volumes });
        else if (volumes.length === 0) session.say('There are no volumes. Make one: volmove create 1 --name data1');
        else session.data(renderTable(columnsOf(volumes), volumes, session.look));
        return EXIT.done;
      }),
    );
  for (const add of [addManageable, addManage, addUnmanage]) add(volumes, runner, deps);
};
