import { randomBytes } from 'node:crypto';
import { open, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createChildren } from '../../../host-agent/children/child.ts';
import { type DdRequest, runDd } from '../../../host-agent/dd/dd.ts';
import { openChildJournal } from '../../../host-agent/journal/children.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';

/** Real dd on real files; between two looks at it no time goes by but a turn of the event loop. */
export const MIB = 1024 * 1024;
export const PATH = process.env.PATH ?? '';

/** A sparse file with `data` at these offsets. */
export const aFile = async (
  directory: string,
  name: string,
  sizeBytes: number,
  data: Readonly<Record<number, Uint8Array>> = {},
): Promise<string> => {
  const path = join(directory, name);
  const handle = await open(path, 'w+');
  await handle.truncate(sizeBytes);
  for (const [offset, bytes] of Object.entries(data)) await handle.write(bytes, 0, bytes.length, Number(offset));
  await handle.sync();
  await handle.close();
  return path;
};

/** A directory that has these programs and no others. */
export const pathWith = async (...programs: string[]): Promise<string> => {
  const directory = await tempDir();
  for (const program of programs) {
    for (const place of PATH.split(':')) {
      const there = await readFile(join(place, program)).catch(() => undefined);
      if (!there) continue;
      await symlink(join(place, program), join(directory, program));
      break;
    }
  }
  return directory;
};

export const ddRig = async ({ sizeBytes = 8 * MIB, path = PATH } = {}) => {
  const directory = await tempDir();
  const journal = await openChildJournal(directory);
  const children = createChildren({ journal, path });
  const source = await aFile(directory, 'source', sizeBytes, { [MIB]: randomBytes(MIB), [5 * MIB]: randomBytes(MIB) });
  const destination = await aFile(directory, 'destination', sizeBytes);
  const copied: number[] = [];
  return {
    directory,
    journal,
    children,
    source,
    destination,
    copied,
    run: (change: Partial<DdRequest> = {}): Promise<void> =>
      runDd(children, {
        source,
        destination,
        sizeBytes,
        destinationIsZero: true,
        onCopied: (bytes) => copied.push(bytes),
        onResting: () => undefined,
        isPaused: () => false,
        sleep: async () => {
          await setImmediate();
        },
        signal: new AbortController().signal,
        ...change,
      }),
  };
};
