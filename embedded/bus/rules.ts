import { EMPTY_MODEL, type Model } from './model.ts';
import { loadJson, saveJson } from './state-file.ts';

/** The one current model: changed one at a time, and only to what is on disk already. */

export interface Rules {
  readonly current: () => Model;
  readonly change: (next: (before: Model) => Model) => Promise<void>;
}

interface Stored {
  readonly version: 1;
  readonly buses: Model;
}

/** Without a path nothing is kept. */
export const openRules = async (path: string | undefined): Promise<Rules> => {
  let current = path === undefined ? EMPTY_MODEL : await load(path);
  let turn: Promise<unknown> = Promise.resolve();

  const apply = async (before: Promise<unknown>, next: (before: Model) => Model): Promise<void> => {
    await before;
    const after = next(current);
    if (path !== undefined) await saveJson(path, { version: 1, buses: after } satisfies Stored);
    current = after;
  };
  return {
    current: () => current,
    change(next) {
      const mine = apply(turn, next);
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
};

const load = async (path: string): Promise<Model> => {
  const stored = await loadJson(path);
  if (stored === undefined) return EMPTY_MODEL;
  if (isStored(stored)) return stored.buses;
  throw new Error(
    `${path} was written by another version of volmove. Start that version, or remove the file to begin without rules.`,
  );
};

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && 'version' in value && value.version === 1 && 'buses' in value;
