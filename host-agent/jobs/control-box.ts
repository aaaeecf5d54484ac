import type { JobControl } from '../../domain/job/job.ts';

/** The control wishes of one job as last read, for whoever acts on them. */
export interface ControlBox {
  current(): JobControl;
  onChange(listener: () => void): void;
  set(control: JobControl): void;
}

export const createControlBox = (first: JobControl): ControlBox => {
  let control = first;
  const listeners: (() => void)[] = [];
  return {
    current: () => control,
    onChange: (listener) => {
      listeners.push(listener);
    },
    set(next) {
      const changed = JSON.stringify(next) !== JSON.stringify(control);
      control = next;
      if (changed) for (const listener of listeners) listener();
    },
  };
};
