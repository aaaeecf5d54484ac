import { readdir, readlink } from 'node:fs/promises';

/**
 * The files that processes of this host have open, each with the processes' ids, by /proc/PID/fd (proc(5)). What cannot be looked
 * into (a process that ended meanwhile, or another user's without privilege) is passed over.
 */
export const openFiles = async (): Promise<Map<string, number[]>> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const holders = new Map<string, number[]>();
  for (const pid of pids) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    for (const path of new Set(links)) holders.set(path, [...(holders.get(path) ?? []), pid]);
  }
  return holders;
};

export const processesWithOpen = async (path: string): Promise<number[]> => (await openFiles()).get(path) ?? [];
