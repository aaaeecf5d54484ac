import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../helpers/sim/random.ts';
import { type Reply, type Rig, until } from '../system/rig.ts';
import { type Content, writeBlocks } from './content.ts';
import { drawContent } from './draw.ts';

/** The volumes of a chaos run as those know them who wrote them, and the requests about them, which may find nobody at home. */
export interface Known {
  readonly id: string;
  readonly content: Content;
  /** `accepted`: it must go. `unanswered`: it may go, or stay whole. */
  deleted: 'accepted' | 'unanswered' | null;
  /** A guest has it, or has had it in this round: its own writes come one after the other. */
  guest: boolean;
}

export interface Field {
  readonly rig: Rig;
  /** `host@backend#pool`. */
  readonly places: readonly string[];
  readonly volumes: Map<string, Known>;
}

const LOOK_EVERY_MS = 200;
const MADE_AT_ONCE = 5;
export const POOLS = ['main', 'spare'];
export const placesOf = (hosts: readonly string[]): string[] =>
  hosts.flatMap((host) => POOLS.map((pool) => `${host}@files#${pool}`));

/** Undefined: no answer, as the cloud is down. A request with a `key` may be sent again until it is answered. */
export const ask = async <T>(
  rig: Rig,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Reply<T> | undefined> => {
  try {
    const reply = await rig.call<T>(
      method,
      path,
      body,
      'admin:demo',
      key === undefined ? {} : { 'Idempotency-Key': key },
    );
    return reply.status < 500 ? reply : undefined;
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
};

export const accepted = (reply: Reply | undefined): boolean => reply !== undefined && reply.status < 300;

export const askToCreate = async ({ rig, volumes }: Field, place: string): Promise<string | undefined> => {
  const body = { volume: { size: 1 }, 'OS-SCH-HNT:scheduler_hints': { volmove_pool: place } };
  const id = (await ask<{ volume?: { id: string } }>(rig, 'POST', '/volumes', body))?.body.volume?.id;
  if (id !== undefined) know(volumes, id);
  return id;
};

export const know = (volumes: Field['volumes'], id: string): void =>
  void volumes.set(id, { id, content: new Map(), deleted: null, guest: false });

/** Where a guest on the volume's host finds it. */
const fileOf = async (rig: Rig, id: string): Promise<string> => {
  const path = await rig.path(id);
  if (path.endsWith('missing')) throw new Error(`volume ${id} has no file`);
  return path;
};

/** As many as there were at first, each with data of its own. */
export const topUp = async (field: Field, chance: Chance, count: number): Promise<void> => {
  const { rig, places, volumes } = field;
  const wanted = count - volumes.size;
  const make = async (nth: number): Promise<void> => {
    const id = await until('a volume can be created', () => askToCreate(field, places[nth % places.length] ?? ''));
    const content = drawContent(chance, 4);
    let status = 'asked for';
    await until('the volume is available', async () => {
      await sleep(LOOK_EVERY_MS);
      ({ status } = await rig.volume(id));
      return status !== 'creating';
    }).catch((cause: unknown) => {
      throw new Error(`volume ${id} is ${status}`, { cause });
    });
    // a host that was taken for lost: the next round deletes it
    if (status !== 'available') return;
    await write(volumes.get(id), await fileOf(rig, id), content);
  };
  const first = chance.below(places.length);
  for (let made = 0; made < wanted; made += MADE_AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(MADE_AT_ONCE, wanted - made) }, (_, i) => make(first + made + i)));
};

export const write = async (volume: Known | undefined, path: string, blocks: Content): Promise<void> => {
  if (!volume) return;
  await writeBlocks(path, volume.id, blocks);
  for (const [block, stamp] of blocks) volume.content.set(block, stamp);
};

const action = (rig: Rig, id: string, body: object) => ask(rig, 'POST', `/volumes/${id}/action`, body);

/** A guest comes, writes where it is told to, and goes. Where a request is not accepted it ends: `letGo` tidies up. */
export const beGuest = async (
  { rig }: Field,
  volume: Known,
  how: { readonly attaches: boolean; readonly blocks: Content; readonly heldMs: number },
): Promise<boolean> => {
  const { id } = volume;
  if (!accepted(await action(rig, id, { 'os-reserve': null }))) return false;
  const connect = { 'os-initialize_connection': { connector: { host: 'guest' } } };
  const reply = await ask<{ connection_info: { data: { device_path: string } } }>(
    rig,
    'POST',
    `/volumes/${id}/action`,
    connect,
  );
  if (reply?.status !== 200) return false;
  await write(volume, reply.body.connection_info.data.device_path, how.blocks);
  if (how.attaches) {
    const attach = { 'os-attach': { host_name: 'guest', mountpoint: '/dev/vdb', mode: 'rw' } };
    if (!accepted(await action(rig, id, attach))) return true;
  }
  await sleep(how.heldMs);
  if (how.attaches) await action(rig, id, { 'os-begin_detaching': null });
  await action(rig, id, { 'os-terminate_connection': { connector: { host: 'guest' } } });
  await action(rig, id, how.attaches ? { 'os-detach': {} } : { 'os-unreserve': null });
  return true;
};

/** What is left of a guest whose requests found nobody: it is gone itself, so its volume is given back. */
export const letGo = async ({ rig, volumes }: Field): Promise<void> => {
  for (const volume of volumes.values()) {
    if (!volume.guest) continue;
    await until(`the guest of ${volume.id} is gone`, async () => {
      const reply = await ask<{ volume: { status: string } }>(rig, 'GET', `/volumes/${volume.id}`);
      if (!reply) return false;
      if (reply.status === 404) return true;
      const { status } = reply.body.volume;
      if (status === 'attaching' || status === 'reserved') await action(rig, volume.id, { 'os-unreserve': null });
      else if (status === 'in-use' || status === 'detaching') await action(rig, volume.id, { 'os-detach': {} });
      else return true;
      return false;
    });
    volume.guest = false;
  }
};
