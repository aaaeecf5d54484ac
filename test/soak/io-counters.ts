import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Moved, NOTHING, plus } from './layout.ts';

/**
 * What the processes of one host have really read from and written to their disks, by the kernel's own books
 * (proc_pid_io(5)), over all of the incarnations of its agent. `read_bytes` has what was fetched from a device, and the agent
 * reads past the page cache; `wchar` has what was passed to write calls: the data, and some hundred bytes of answers.
 */
export interface IoCounters {
  now(): Promise<Moved>;
  /** The process is frozen or dead; resolves when the system calls that it was in have ended. */
  settled(): Promise<Moved>;
  /** Keeps what a process has done that is to be killed now. */
  buried(last: Moved): void;
}

const SETTLE_MS = 5;

const fieldOf = (text: string, name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]);

const ioOf = async (pid: number | undefined): Promise<Moved> => {
  // what a part that is down has done is in the books already
  const text = pid === undefined ? '' : await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return text === '' ? NOTHING : { read: fieldOf(text, 'read_bytes'), written: fieldOf(text, 'wchar') };
};

export const createIoCounters = (pid: () => number | undefined): IoCounters => {
  let dead = NOTHING;
  const now = async (): Promise<Moved> => plus(dead, await ioOf(pid()));
  return {
    now,
    async settled() {
      let last = await now();
      for (;;) {
        await sleep(SETTLE_MS);
        const next = await now();
        if (next.read === last.read && next.written === last.written) return next;
        last = next;
      }
    },
    buried(last) {
      dead = last;
    },
  };
};
