import { type Migration, type Volume, volumePlace } from '../api/types.ts';
import { type Line, span } from './line.ts';
import { migrationColumns } from './migration-table.ts';
import { migrationStatus, since, volumeStatus } from './status.ts';
import { renderFacts, renderTable, type TableLook } from './table.ts';
import { utc } from './units.ts';

/** Everything about one volume: its facts, and its last migrations below them. */

const attachments = (volume: Volume): string =>
  volume.attachments
    .map((one) => `${one.host_name ?? one.server_id ?? 'unknown'}${one.device ? ` as ${one.device}` : ''}`)
    .join(', ');

const metadata = (volume: Volume): string =>
  Object.entries(volume.metadata ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');

export const volumePage = (
  volume: Volume,
  {
    last,
    kept,
    why,
  }: {
    readonly last: readonly Migration[];
    readonly kept: readonly [string, Line][];
    /** Why it is in error. */
    readonly why?: string | undefined;
  },
  look: TableLook,
  nowMs: number,
): string => {
  const facts = renderFacts(
    [
      ['Volume', [span(volume.id)]],
      ['Name', [span(volume.name ?? '', 'bold')]],
      ['Status', [volumeStatus(volume)]],
      ['Why', [span(why ?? '')]],
      ['Size', [span(`${volume.size} GiB`)]],
      ['Place', [span(volumePlace(volume))]],
      ['Attached to', [span(attachments(volume) || '-')]],
      ['Migration status', [migrationStatus(volume)]],
      ...kept,
      ['Metadata', [span(metadata(volume))]],
      ['Created', [span(`${utc(volume.created_at)} UTC, ${since(volume.created_at, nowMs)}`)]],
    ],
    look.paint,
  );
  if (last.length === 0) return facts;
  const table = renderTable(migrationColumns(nowMs, { withVolume: false }), last, look);
  return `${facts}\n${look.paint('bold', 'Last migrations')}\n${table}`;
};
