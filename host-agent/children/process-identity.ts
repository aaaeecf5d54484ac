import { readFile } from 'node:fs/promises';
import { isMissing } from '../../local/durable-file.ts';

/** A process of this machine, told apart from every other that ever had its number (proc(5)). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks from the boot to its start. */
  readonly startTicks: string;
  /** Ticks begin anew with every boot. */
  readonly bootId: string;
}

const START_TICKS = 22;
const STATE = 3;
/** Neither can do anything any more; a zombie only waits for its parent to hear of its end. */
const ENDED = new Set(['Z', 'X']);

const isGone = (error: unknown): boolean => isMissing(error) || (error as NodeJS.ErrnoException).code === 'ESRCH';

const bootId = async (): Promise<string> => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();

/** Undefined when no process has the number, or the one that had it has ended. */
export const identityOf = async (pid: number): Promise<ProcessIdentity | undefined> => {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  // field 2, the program's name in parentheses, may hold anything: blanks and parentheses too
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTicks = fields[START_TICKS - STATE];
  if (startTicks === undefined || ENDED.has(fields[0] ?? '')) return undefined;
  return { pid, startTicks, bootId: await bootId() };
};

export const isRunning = async (known: ProcessIdentity): Promise<boolean> => {
  const now = await identityOf(known.pid);
  return now?.startTicks === known.startTicks && now.bootId === known.bootId;
};
