import { readdir, readFile } from 'node:fs/promises';

/** The program that makes a cluster move the image of a volume, an agent's child. */
export const moverOf =
  (conf: () => string) =>
  async (volume: string): Promise<number | undefined> => {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const [program, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      const isExecution = program === 'rbd' && args.includes('execute') && args.includes(conf());
      if (isExecution && args.some((arg) => arg.includes(`volume-${volume}-`))) return Number(pid);
    }
    return undefined;
  };
