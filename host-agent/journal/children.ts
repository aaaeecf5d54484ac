import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readDurable, removeDurable, writeDurable } from '../../local/durable-file.ts';
import type { ProcessIdentity } from '../children/process-identity.ts';

/** The processes that this agent has started, durably: the next one looks here for what may still write. */
export interface ChildRecord extends ProcessIdentity {
  readonly program: string;
}

export interface ChildJournal {
  all(): Promise<ChildRecord[]>;
  put(record: ChildRecord): Promise<void>;
  forget(child: ProcessIdentity): Promise<void>;
}

export const openChildJournal = async (dataDir: string): Promise<ChildJournal> => {
  const directory = join(dataDir, 'children');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = ({ pid, startTicks }: ProcessIdentity): string => join(directory, `${pid}.${startTicks}.json`);
  return {
    async all() {
      const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
      const records = await Promise.all(names.map((name) => readDurable(join(directory, name))));
      return records.filter((record) => record !== undefined) as ChildRecord[];
    },
    put: (record) => writeDurable(file(record), record),
    forget: (child) => removeDurable(file(child)),
  };
};
