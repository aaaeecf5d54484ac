import { readdir, readlink } from 'node:fs/promises';

/**
 * Processes of this host that have a file open, by /proc/PID/fd (proc(5)). What cannot be looked into (a process that ended
 * meanwhile, or another user's without privilege) is passed over.
 */
export const processesWithOpen = async (path: string): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const holders: number[] = [];
  for (const pid of pids) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (links.includes(path)) holders.push(pid);
  }
  return holders;
};
