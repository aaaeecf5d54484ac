/** What has come from a socket, and who waits for it: one at a time, for an exact number of bytes. */

/** Less than this is not worth a read of its own: it comes with what follows it. */
const STRAIGHT_BYTES = 4096;

interface Waiting {
  readonly target: Buffer;
  done: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export const createIntake = () => {
  const early: Buffer[] = [];
  let earlyBytes = 0;
  let waiting: Waiting | undefined;

  const came = (lengthBytes: number): void => {
    if (!waiting) return;
    waiting.done += lengthBytes;
    if (waiting.done < waiting.target.length) return;
    const { resolve } = waiting;
    waiting = undefined;
    resolve();
  };
  /** How much of `bytes` somebody waited for. */
  const given = (bytes: Buffer): number => {
    if (!waiting) return 0;
    const moved = bytes.copy(waiting.target, waiting.done, 0, waiting.target.length - waiting.done);
    came(moved);
    return moved;
  };

  return {
    get earlyBytes() {
      return earlyBytes;
    },
    /** Bytes went straight into what `memory` had returned. */
    came,
    /** The rest of what is waited for; undefined when it is short, or something came before it. */
    memory(): Buffer | undefined {
      const large = waiting && earlyBytes === 0 && waiting.target.length >= STRAIGHT_BYTES;
      return large ? waiting?.target.subarray(waiting.done) : undefined;
    },
    keep(bytes: Buffer): void {
      early.push(bytes);
      earlyBytes += bytes.length;
    },
    /** As `keep` and `give`, of memory that the next read overwrites. */
    keepCopy(bytes: Buffer): void {
      const moved = earlyBytes === 0 ? given(bytes) : 0;
      if (moved < bytes.length) this.keep(Buffer.from(bytes.subarray(moved)));
    },
    await(target: Buffer): Promise<void> {
      return new Promise((resolve, reject) => {
        waiting = { target, done: 0, resolve, reject };
      });
    },
    /** Hands out what came early. */
    give(): void {
      for (let first = early[0]; waiting && first; first = early[0]) {
        const moved = given(first);
        earlyBytes -= moved;
        if (moved === first.length) early.shift();
        else early[0] = first.subarray(moved);
      }
    },
    fail(error: Error): void {
      const failed = waiting;
      waiting = undefined;
      failed?.reject(error);
    },
    takeEarly(): Buffer {
      earlyBytes = 0;
      return Buffer.concat(early.splice(0));
    },
  };
};
