import type { Host } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { span } from '../output/line.ts';
import { since, upOrDown } from '../output/status.ts';
import { type Column, renderTable } from '../output/table.ts';
import { type AddCommand, examples } from '../runtime/command.ts';

/** `volmove hosts`: which agents are there and alive. */

const pools = (host: Host): string =>
  host.backends
    .flatMap((backend) =>
      backend.pools.map((pool) => `${backend.name}#${pool.name}${pool.state === 'up' ? '' : ` (${pool.state})`}`),
    )
    .join(', ') || '-';

const columns = (nowMs: number): readonly Column<Host>[] => [
  { title: 'HOST', cell: (host) => span(host.id, 'bold') },
  { title: 'STATE', cell: (host) => upOrDown(host.state) },
  { title: 'LAST SEEN', cell: (host) => span(since(host.heartbeat_at, nowMs)), align: 'right' },
  { title: 'VERSION', cell: (host) => span(host.version), cut: 'drop' },
  { title: 'ADDRESS', cell: (host) => span(host.address) },
  { title: 'JOBS AT ONCE', cell: (host) => span(String(host.concurrency)), align: 'right', cut: 'drop' },
  { title: 'POOLS', cell: (host) => span(pools(host)), cut: 'end', min: 12 },
];

export const addHosts: AddCommand = (program, { act }, deps) => {
  program
    .command('hosts')
    .summary('list the storage hosts')
    .description('Lists the storage hosts: which agents are up, when they were last seen, and what they serve.')
    .addHelpText('before', examples('volmove hosts'))
    .action(
      act(async (session) => {
        const hosts = await session.client.hosts();
        if (session.json) session.document({ hosts });
        else if (hosts.length === 0) session.say('No host has registered. Start one: volmove agent --config FILE');
        else session.data(renderTable(columns(deps.nowMs()), hosts, session.look));
        return EXIT.done;
      }),
    );
};
