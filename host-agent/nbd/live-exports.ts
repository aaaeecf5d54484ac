/**
 * What a server knows of the exports that have connections, or I/O in flight of connections that have left. An export that has
 * ended takes no request any more; whoever asks the journal is refused later, so only the last ended ones are remembered here.
 */
export interface LiveExport {
  readonly name: string;
  readonly sockets: Set<{ destroy(): unknown }>;
  readonly inFlight: Set<Promise<void>>;
  ended: boolean;
  connections: number;
}

export interface LiveExports {
  /** Comes before it is asked whether the connection may enter: an end in between must reach it. */
  enter(name: string): LiveExport;
  leave(one: LiveExport): void;
  /** Counts `task`, which never rejects, as in flight until it has ended. */
  track(one: LiveExport, task: Promise<void>): void;
  /** Refuses new requests, ends the connections, and resolves when the I/O in flight has ended. */
  end(name: string): Promise<void>;
  size(): number;
}

const ENDED_KEPT = 1_000;

export const createLiveExports = (): LiveExports => {
  const all = new Map<string, LiveExport>();

  const isIdle = (one: LiveExport): boolean => one.connections === 0 && one.inFlight.size === 0;
  const tidy = (one: LiveExport): void => {
    if (isIdle(one) && !one.ended) all.delete(one.name);
    for (const oldest of all.values()) {
      if (all.size <= ENDED_KEPT) return;
      if (isIdle(oldest)) all.delete(oldest.name);
    }
  };
  const find = (name: string): LiveExport => {
    const found = all.get(name) ?? { name, sockets: new Set(), inFlight: new Set(), ended: false, connections: 0 };
    all.set(name, found);
    return found;
  };

  return {
    enter(name) {
      const one = find(name);
      one.connections += 1;
      return one;
    },
    leave(one) {
      one.connections -= 1;
      tidy(one);
    },
    track(one, task) {
      const tracked = task.finally(() => {
        one.inFlight.delete(tracked);
        tidy(one);
      });
      one.inFlight.add(tracked);
    },
    async end(name) {
      const one = find(name);
      one.ended = true;
      for (const socket of one.sockets) socket.destroy();
      while (one.inFlight.size > 0) await Promise.all(one.inFlight);
      tidy(one);
    },
    size: () => all.size,
  };
};
