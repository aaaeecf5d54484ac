import { type Migration, type MigrationEvent, migrationLabel } from '../api/types.ts';
import type { Client } from '../client.ts';
import type { CliDeps } from '../runtime/deps.ts';
import { createPatience } from '../runtime/patience.ts';
import { isOver } from '../watch/monitor.ts';

/** Follows events by asking again for what is newer than the last one seen; each event is told once, in order. */

export interface Follow {
  readonly client: Client;
  readonly deps: Pick<CliDeps, 'nowMs' | 'sleep'>;
  readonly leave: AbortSignal;
  readonly tell: (event: MigrationEvent, label: string) => void;
  /** A note for the person while the service does not answer; told once. */
  readonly note: (message: string) => void;
}

const EVERY_MS = 1_000;
const NEWEST = 50;

const isClosed = (migration: Migration): boolean => isOver(migration) && migration.cleanup.state !== 'pending';

/** Tells what is newer than `after`; resolves with the highest sequence number told. */
const tellNewer = async (follow: Follow, migration: Migration, after: number): Promise<number> => {
  const events = await follow.client.events(migration.id, after, follow.leave);
  for (const event of events) follow.tell(event, migrationLabel(migration));
  return Math.max(after, ...events.map((event) => event.detail.sequence));
};

/** Runs `turn` until it says that it is done, or the person leaves (false). */
const repeat = async (follow: Follow, turn: () => Promise<boolean>): Promise<boolean> => {
  const patience = createPatience(follow.deps.nowMs);
  let noted = false;
  try {
    for (;;) {
      try {
        const done = await turn();
        patience.answered();
        noted = false;
        if (done) return true;
      } catch (error) {
        if (follow.leave.aborted) throw error;
        const message = patience.failed(error);
        if (!noted) follow.note(message);
        noted = true;
      }
      await follow.deps.sleep(EVERY_MS, follow.leave);
    }
  } catch (error) {
    if (follow.leave.aborted) return false;
    throw error;
  }
};

/** One migration until it has ended and its cleanup is done. False when the person left before. */
export const followOne = (follow: Follow, id: string, after: number): Promise<boolean> => {
  let last = after;
  return repeat(follow, async () => {
    // Asked before the events: what ended before the question has all its events in the answer.
    const migration = await follow.client.migration(id, follow.leave);
    last = await tellNewer(follow, migration, last);
    return isClosed(migration);
  });
};

/** The newest migrations, from now on: what happened before is in `events MIGRATION`. Ends only when the person leaves. */
export const followAll = (follow: Follow): Promise<boolean> => {
  const last = new Map<string, number>();
  const closed = new Set<string>();
  let first = true;
  const visit = async (migration: Migration): Promise<void> => {
    const after = last.get(migration.id) ?? 0;
    const quiet = first ? { ...follow, tell: () => undefined } : follow;
    if (!first || !isClosed(migration)) last.set(migration.id, await tellNewer(quiet, migration, after));
    if (isClosed(migration)) closed.add(migration.id);
  };
  return repeat(follow, async () => {
    const { migrations } = await follow.client.migrations({ limit: NEWEST }, follow.leave);
    const open = migrations.filter((migration) => !closed.has(migration.id)).reverse();
    for (const migration of open) await visit(migration);
    first = false;
    return false;
  });
};
