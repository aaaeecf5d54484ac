import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isMissing } from '../../../local/durable-file.ts';
import { processesWithOpen } from '../file/users.ts';

/** Who uses a volume of this host, for the words of a refusal: devices on top of it, mounts, processes. */

/** The numbers of a device as the kernel prints them (makedev(3)). */
const numbersOf = (rdev: number): string => {
  const major = Math.floor(rdev / 0x100) & 0xfff;
  const minor = (rdev & 0xff) | ((Math.floor(rdev / 0x1000) & 0xfff00) >>> 0);
  return `${major}:${minor}`;
};

const holdersOf = (numbers: string): Promise<string[]> => readdir(`/sys/dev/block/${numbers}/holders`).catch(() => []);

/** Field 3 of /proc/self/mountinfo is the device, field 5 where it is mounted (proc(5)). */
const mountsOf = async (numbers: string): Promise<string[]> => {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === numbers)
    .map((fields) => fields[4] ?? '');
};

export const useOf = async (path: string): Promise<string | undefined> => {
  let node: string;
  let numbers: string;
  try {
    node = await realpath(path);
    numbers = numbersOf((await stat(node)).rdev);
  } catch (error) {
    // not active: nobody can have it open
    if (isMissing(error)) return undefined;
    throw error;
  }
  const [mounts, holders, processes] = await Promise.all([
    mountsOf(numbers),
    holdersOf(numbers),
    processesWithOpen(node),
  ]);
  if (mounts.length > 0) return `it is mounted on ${mounts.join(', ')}`;
  if (holders.length > 0) return `${holders.join(', ')} is made of it`;
  if (processes.length > 0) return `process ${processes.join(', ')} has it open`;
  return undefined;
};

/** `lvcreate ... -n NAME`, `lvextend ... GROUP/NAME`. */
const isAbout = (argument: string, objectName: string): boolean =>
  argument === objectName || argument.endsWith(`/${objectName}`);

/** Processes that may still make or change a volume of that name: commands outlive an agent that was killed. */
export const commandsOn = async (objectName: string): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      const isCommand = /(^|\/)(lvcreate|lvextend)$/.test(program) && args.some((one) => isAbout(one, objectName));
      return isCommand ? [Number(pid)] : [];
    }),
  );
  return found.flat();
};
