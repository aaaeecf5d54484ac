import type { JobControl } from '../../domain/job/job.ts';

/** The control wishes of one job as last read, for whoever acts on them. */
export interface Wishes {
  current(): JobControl;
  /** Resolves when the wishes are so; rejects with the signal's reason. */
  until(holds: (control: JobControl) => boolean, signal: AbortSignal): Promise<void>;
}

export interface ControlBox extends Wishes {
  onChange(listener: () => void): void;
  set(control: JobControl): void;
}

export const createControlBox = (first: JobControl): ControlBox => {
  let control = first;
  const listeners = new Set<() => void>();
  return {
    current: () => control,
    until: (holds, signal) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          listeners.delete(look);
          signal.removeEventListener('abort', aborted);
        };
        const look = (): void => {
          if (!holds(control)) return;
          end();
          resolve();
        };
        const aborted = (): void => {
          end();
          reject(signal.reason as Error);
        };
        if (signal.aborted) return aborted();
        signal.addEventListener('abort', aborted, { once: true });
        listeners.add(look);
        look();
      }),
    onChange: (listener) => {
      listeners.add(listener);
    },
    set(next) {
      const changed = JSON.stringify(next) !== JSON.stringify(control);
      control = next;
      if (changed) for (const listener of [...listeners]) listener();
    },
  };
};
