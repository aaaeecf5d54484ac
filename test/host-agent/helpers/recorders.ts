import type { Failure } from '../../../domain/error.ts';
import type { VolmoveEvent } from '../../../domain/event.ts';
import type { Notifier, TaskResults } from '../../../domain/ports.ts';

/** What an agent tells others, kept for the test. */
export const recordedEvents = (): Notifier & { readonly events: VolmoveEvent[] } => {
  const events: VolmoveEvent[] = [];
  return {
    events,
    notify: async (some) => {
      events.push(...some);
    },
  };
};

export interface Told {
  readonly token: string;
  readonly result: object | Failure;
  readonly ok: boolean;
}

export const recordedTasks = (): TaskResults & { readonly told: Told[] } => {
  const told: Told[] = [];
  return {
    told,
    succeed: async (token, result) => {
      told.push({ token, result, ok: true });
      return 'told';
    },
    fail: async (token, result) => {
      told.push({ token, result, ok: false });
      return 'told';
    },
  };
};
