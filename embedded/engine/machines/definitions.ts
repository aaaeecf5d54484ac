// The definitions of one machine: the current one, and earlier ones for the executions that began with them.
import { readDefinition } from '../definition/machine.ts';
import { DefinitionError } from '../definition/problems.ts';
import { substitute } from '../definition/substitute.ts';
import type { Definition } from '../definition/types.ts';
import type { MachineFiles } from '../journal/files.ts';
import type { Json } from '../json.ts';
import type { EngineSettings } from './settings.ts';

export interface CurrentDefinition {
  readonly text: string;
  readonly digest: string;
  readonly definition: Definition;
  readonly loadedMs: number;
}

export interface Definitions {
  current(): CurrentDefinition | null;
  /** Throws DefinitionError with all problems; the current definition then stays. */
  load(raw: Json, substitutions: Readonly<Record<string, string>>): void;
  /** Throws when the stored definition is gone or this engine cannot run it any more. */
  byDigest(digest: string): Definition;
}

export function createDefinitions(machine: string, files: MachineFiles, settings: EngineSettings): Definitions {
  const compiled = new Map<string, Definition>();
  let current: CurrentDefinition | null = null;
  return {
    current: () => current,
    load(raw, substitutions) {
      const substituted = substitute(raw, substitutions);
      const read = readDefinition(substituted.definition, settings.environment);
      const problems = [...substituted.problems, ...read.problems];
      if (problems.length > 0) throw new DefinitionError(machine, problems);
      const text = JSON.stringify(substituted.definition);
      const digest = files.storeDefinition(text);
      compiled.set(digest, read.definition);
      current = { text, digest, definition: read.definition, loadedMs: settings.clock.nowMs() };
    },
    byDigest(digest) {
      const known = compiled.get(digest);
      if (known !== undefined) return known;
      const read = readDefinition(JSON.parse(files.readDefinition(digest)), settings.environment);
      if (read.problems.length > 0) throw new DefinitionError(machine, read.problems);
      compiled.set(digest, read.definition);
      return read.definition;
    },
  };
}
