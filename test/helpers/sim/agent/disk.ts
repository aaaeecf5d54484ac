import type { DurableFolder } from '../../../../local/durable-folder.ts';
import type { Actors } from './actors.ts';

/** An agent's data directory: what was written before its process died is there, what comes after is not. */
export type Disk = Map<string, Map<string, unknown>>;

export const folderOn = (disk: Disk, actors: Actors, folder: string): DurableFolder => {
  const records = disk.get(folder) ?? new Map<string, unknown>();
  disk.set(folder, records);
  return {
    names: async () => [...records.keys()],
    read: async (name) => records.get(name),
    write(name, value) {
      const act = (): void => void records.set(name, value);
      return actors.turn(`keeps ${folder} ${name}`, act, { again: act });
    },
    async remove(name) {
      records.delete(name);
    },
  };
};
