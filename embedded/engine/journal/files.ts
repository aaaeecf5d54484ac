// Where things lie: <directory>/<machine>/<execution>.jsonl and <directory>/<machine>/definitions/<digest>.json.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EXTENSION = '.jsonl';
const PLAIN_NAME = /^[A-Za-z0-9._-]{1,80}$/;

export interface MachineFiles {
  journalPath(execution: string): string;
  journalPaths(): string[];
  /** Stores a definition for as long as executions may need it; returns its digest. */
  storeDefinition(text: string): string;
  /** Throws when it is not there. */
  readDefinition(digest: string): string;
}

/** The names of the machines that have a folder. */
export function machineFolders(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

export function createMachineFiles(directory: string, machine: string): MachineFiles {
  const folder = join(directory, machine);
  const definitions = join(folder, 'definitions');
  mkdirSync(definitions, { recursive: true });
  const definitionPath = (digest: string) => join(definitions, `${digest}.json`);
  return {
    journalPath: (execution) => join(folder, `${fileName(execution)}${EXTENSION}`),
    journalPaths: () =>
      readdirSync(folder)
        .filter((name) => name.endsWith(EXTENSION))
        .map((name) => join(folder, name)),
    storeDefinition(text) {
      const digest = sha256(text).slice(0, 32);
      const path = definitionPath(digest);
      if (!existsSync(path)) {
        // A name appears only with the whole content behind it.
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      }
      return digest;
    },
    readDefinition: (digest) => readFileSync(definitionPath(digest), 'utf8'),
  };
}

/** Names that a file system could refuse or confuse are replaced by a digest; `~` is in no execution's name. */
function fileName(execution: string): string {
  return PLAIN_NAME.test(execution) ? execution : `~${sha256(execution)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
