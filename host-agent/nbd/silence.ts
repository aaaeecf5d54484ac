/** Counts how long a peer has been silent while something is waited for from it: a frozen machine closes no connection. */
export interface Silence {
  /** Counts anew: something was heard, or what is waited for has changed. */
  restart(): void;
}

/** `patienceMs`: how long what waits now may wait; undefined while nothing does. */
export const createSilence = (patienceMs: () => number | undefined, onSilent: (forMs: number) => void): Silence => {
  let timer: NodeJS.Timeout | undefined;
  return {
    restart() {
      clearTimeout(timer);
      const ms = patienceMs();
      timer = ms === undefined ? undefined : setTimeout(onSilent, ms, ms);
    },
  };
};
