import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked, Disturbance, Plan } from './draw.ts';
import { accepted, ask, askToCreate, beGuest, type Field, type Known } from './field.ts';

/** What is asked of the cloud in a round: migrations, guests, cancels, pauses, creates and deletes, each at its time. */
export interface Traffic {
  /** Requests by what became of them, such as `migrate accepted`. */
  readonly counts: Map<string, number>;
  readonly migrations: string[];
}

/** A request that was not answered is sent again, under the same key: it is one migration. */
const TRIES = 12;
const BETWEEN_TRIES_MS = 250;

const note = ({ counts }: Traffic, what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

const word = (reply: { readonly status: number } | undefined): string => {
  if (!reply) return 'unanswered';
  return reply.status < 300 ? 'accepted' : 'refused';
};

const pickOf = <T>(all: readonly T[], pick: number): T | undefined => all[pick % all.length];

const answered = async <T>(send: () => Promise<T | undefined>): Promise<T | undefined> => {
  for (let tries = 1; ; tries++) {
    const reply = await send();
    if (reply !== undefined || tries === TRIES) return reply;
    await sleep(BETWEEN_TRIES_MS);
  }
};

const migrate = async ({ rig, places }: Field, traffic: Traffic, asked: Asked, volume: Known): Promise<void> => {
  await sleep(asked.atMs);
  const shown = await answered(() =>
    ask<{ volume?: { 'os-vol-host-attr:host': string } }>(rig, 'GET', `/volumes/${volume.id}`),
  );
  const at = shown?.body.volume?.['os-vol-host-attr:host'];
  const migration = {
    volume_id: volume.id,
    destination: pickOf(
      places.filter((place) => place !== at),
      asked.toPick,
    ),
    lock: asked.lock,
    progress_interval_seconds: 0.5,
    bandwidth_bytes_per_second: asked.bytesPerSecond,
  };
  const reply = await answered(() =>
    ask<{ migration?: { id: string } }>(rig, 'POST', '/migrations', { migration }, asked.key),
  );
  note(traffic, `migrate ${word(reply)}`);
  const id = reply?.body.migration?.id;
  if (id !== undefined) traffic.migrations.push(id);
};

const adjust = async (field: Field, traffic: Traffic, { act, pick, heldMs }: Disturbance): Promise<void> => {
  const id = pickOf(traffic.migrations, pick);
  if (id === undefined) return;
  const path = `/migrations/${id}/action`;
  note(traffic, `${act} ${word(await ask(field.rig, 'POST', path, { [act]: null }))}`);
  if (act !== 'pause') return;
  await sleep(heldMs);
  await ask(field.rig, 'POST', path, { resume: null });
};

const remove = async (field: Field, traffic: Traffic, volume: Known): Promise<void> => {
  const reply = await ask(field.rig, 'DELETE', `/volumes/${volume.id}`);
  note(traffic, `delete ${word(reply)}`);
  if (!reply) volume.deleted ??= 'unanswered';
  else if (accepted(reply)) volume.deleted = 'accepted';
};

const disturb = async (field: Field, traffic: Traffic, asked: Disturbance): Promise<void> => {
  await sleep(asked.atMs);
  const free = [...field.volumes.values()].filter((volume) => !volume.guest && volume.deleted === null);
  const volume = pickOf(free, asked.pick);
  switch (asked.act) {
    case 'attach':
    case 'reserve': {
      if (!volume) return;
      volume.guest = true;
      const came = await beGuest(field, volume, { ...asked, attaches: asked.act === 'attach' });
      return note(traffic, `${asked.act} ${came ? 'accepted' : 'refused'}`);
    }
    case 'cancel':
    case 'pause':
      return adjust(field, traffic, asked);
    case 'delete':
      return volume ? remove(field, traffic, volume) : undefined;
    case 'create': {
      const made = await askToCreate(field, pickOf(field.places, asked.pick) ?? '');
      return note(traffic, `create ${made === undefined ? 'unanswered' : 'accepted'}`);
    }
  }
};

/** Each volume is asked to move once in a round at the most. */
export const runTraffic = async (field: Field, { moves, disturbances }: Plan): Promise<Traffic> => {
  const traffic: Traffic = { counts: new Map(), migrations: [] };
  const free = [...field.volumes.values()];
  const wishes = moves.flatMap((asked) => {
    const [volume] = free.splice(asked.pick % Math.max(1, free.length), 1);
    return volume ? [migrate(field, traffic, asked, volume)] : [];
  });
  await Promise.all([...wishes, ...disturbances.map((asked) => disturb(field, traffic, asked))]);
  return traffic;
};

/** A pause whose end found nobody is ended here. */
export const resumeAll = async ({ rig }: Field, migrations: readonly string[]): Promise<void> => {
  for (const id of migrations) await ask(rig, 'POST', `/migrations/${id}/action`, { resume: null });
};
